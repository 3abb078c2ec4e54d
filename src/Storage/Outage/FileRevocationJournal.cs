using System.Text;
using Maintenance.Storage.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.Outage;

/// <summary>
/// The journal in a file. A line an entry, each with a checksum; appended and synchronized to the disk before an append returns, many at once if many
/// wait. A line torn by a crash was never answered for and is cut off; damage anywhere else stops the start, because an entry would be lost silently.
/// </summary>
internal sealed class FileRevocationJournal : IRevocationJournal, IDisposable
{
    private readonly string path;
    private readonly int capacity;
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly Lock queueGate = new();
    private readonly Dictionary<string, JournalledRevocation> entries = new(StringComparer.Ordinal);
    private readonly List<string> order = [];
    private readonly FileStream claim;
    private List<Waiting> queue = [];
    private FileStream file;

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="InvalidOperationException">It cannot be used; the message names the setting and the file.</exception>
    public FileRevocationJournal(string path, int capacity, ILogger logger)
    {
        this.path = Path.GetFullPath(path);
        this.capacity = capacity;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(this.path)!);
            // Held for as long as this process lives: two hosts on one file would undo each other's acknowledgements.
            claim = new FileStream(this.path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unusable(exception.Message, exception);
        }

        try
        {
            file = Open(this.path);
            var cut = Load();
            if (cut > 0)
            {
                logger.JournalTorn(this.path, cut);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            file?.Dispose();
            claim.Dispose();
            throw Unusable(exception.Message, exception);
        }
    }

    /// <inheritdoc/>
    public Task AppendAsync(JournalledRevocation entry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = new Waiting(entry, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (queueGate)
        {
            queue.Add(waiting);
        }

        // Not the caller's token: whoever leaves must not take the others' turn along.
        _ = Task.Run(WriteQueueAsync, CancellationToken.None);
        return waiting.Done.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<JournalledRevocation>> ReadAllAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return [.. order.Select(id => entries[id])];
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public async Task AcknowledgeAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var before = entries.Count;
            foreach (var id in ids)
            {
                entries.Remove(id);
            }

            if (entries.Count == before)
            {
                return;
            }

            order.RemoveAll(id => !entries.ContainsKey(id));
            await Task.Run(Rewrite, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose()
    {
        file.Dispose();
        claim.Dispose();
        turn.Dispose();
    }

    private async Task WriteQueueAsync()
    {
        await turn.WaitAsync().ConfigureAwait(false);
        List<Waiting> batch;
        try
        {
            lock (queueGate)
            {
                (batch, queue) = (queue, []);
            }

            if (batch.Count > 0)
            {
                Write(batch);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private void Write(List<Waiting> batch)
    {
        var room = capacity - entries.Count;
        foreach (var late in batch.Skip(room))
        {
            late.Done.SetException(new IOException(
                $"The journal '{path}' holds its cap of {capacity} revocations ({OutageOptions.Section}:{nameof(OutageOptions.JournalEntries)})."));
        }

        var taken = batch.Take(room).ToList();
        if (taken.Count == 0)
        {
            return;
        }

        var length = file.Length;
        try
        {
            file.Seek(0, SeekOrigin.End);
            file.Write(Encoding.UTF8.GetBytes(string.Concat(taken.Select(waiting => JournalLine.Write(waiting.Entry)))));
            file.Flush(flushToDisk: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            CutBack(length);
            taken.ForEach(waiting => waiting.Done.SetException(new IOException($"The journal '{path}' cannot be written: {exception.Message}", exception)));
            return;
        }

        foreach (var waiting in taken)
        {
            entries[waiting.Entry.Id] = waiting.Entry;
            order.Add(waiting.Entry.Id);
            waiting.Done.SetResult();
        }
    }

    // What was not answered for must not be carried out either, as far as it can be taken back.
    private void CutBack(long length)
    {
        try
        {
            file.SetLength(length);
            file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // Then it may be carried out after all; its caller has been told that nobody knows.
        }
    }

    // Another file in the old one's place, so that a crash leaves one or the other. If the rename is lost, entries are carried out twice.
    private void Rewrite()
    {
        var next = path + ".next";
        using (var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(Encoding.UTF8.GetBytes(JournalLine.Header + string.Concat(order.Select(id => JournalLine.Write(entries[id])))));
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
        file.Dispose();
        file = Open(path);
    }

    /// <summary>Reads the file and cuts off what a crash has torn; how many bytes.</summary>
    private long Load()
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        if (!bytes.AsSpan().StartsWith(JournalLine.HeaderBytes))
        {
            // A header that is only a beginning was torn before anything else was written.
            if (!JournalLine.HeaderBytes.StartsWith(bytes))
            {
                throw new InvalidDataException("it is not a revocation journal");
            }

            file.SetLength(0);
            file.Write(JournalLine.HeaderBytes);
            file.Flush(flushToDisk: true);
            return bytes.Length;
        }

        var good = JournalLine.HeaderBytes.Length;
        var number = 1;
        int? damaged = null;
        for (var start = good; start < bytes.Length;)
        {
            var end = bytes.AsSpan(start).IndexOf((byte)'\n');
            var line = end < 0 ? bytes.AsSpan(start) : bytes.AsSpan(start, end);
            number++;
            if (end >= 0 && JournalLine.TryRead(line, out var entry))
            {
                if (damaged is { } at)
                {
                    throw new InvalidDataException($"line {at} is damaged, and others follow it; mend or remove that line, and end all sessions of whom it concerned");
                }

                good = start + end + 1;
                if (entries.TryAdd(entry.Id, entry))
                {
                    order.Add(entry.Id);
                }
            }
            else
            {
                damaged ??= number;
            }

            start = end < 0 ? bytes.Length : start + end + 1;
        }

        if (good < bytes.Length)
        {
            file.SetLength(good);
            file.Flush(flushToDisk: true);
        }

        return bytes.Length - good;
    }

    private static FileStream Open(string path) => new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);

    private InvalidOperationException Unusable(string why, Exception exception) =>
        new($"{OutageOptions.Section}:{nameof(OutageOptions.JournalFile)} names '{path}', which cannot be used: {why}", exception);

    private sealed record Waiting(JournalledRevocation Entry, TaskCompletionSource Done);
}
