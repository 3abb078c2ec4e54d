using System.Text.Json;
using System.Text.Json.Serialization;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.Archive;

/// <summary>The journal of revocations in PostgreSQL: shared by all hosts, so that what one of them wrote before it was lost is carried out by another.</summary>
public sealed class PostgresRevocationJournal(ArchiveDatabase database) : IRevocationJournal
{
    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    private const int PageRows = 1000;

    /// <inheritdoc/>
    public bool IsShared => true;

    /// <inheritdoc/>
    public Task AppendAsync(JournalledRevocation entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var text = JsonSerializer.Serialize(entry, Json);
        return TryAsync(
            (context, token) => context.Database.ExecuteSqlAsync($"INSERT INTO archive_journal (id, entry) VALUES ({entry.Id}, {text}) ON CONFLICT (id) DO NOTHING", token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<JournalledRevocation>> ReadAllAsync(CancellationToken cancellationToken)
    {
        // In pages, each with the deadline of a call: a journal that a long outage has filled must not be one that no host can read.
        List<JournalledRevocation> entries = [];
        var last = 0L;
        while (true)
        {
            var after = last;
            var rows = await TryAsync(
                (context, token) => context.Database.SqlQuery<EntryRow>(
                    $"""
                    SELECT position AS "Position", entry AS "Entry" FROM archive_journal WHERE position > {after} ORDER BY position LIMIT {PageRows}
                    """).ToListAsync(token),
                cancellationToken).ConfigureAwait(false);
            entries.AddRange(rows.Select(row => Read(row.Entry)));
            if (rows.Count < PageRows)
            {
                return entries;
            }

            last = rows[^1].Position;
        }
    }

    /// <inheritdoc/>
    public Task AcknowledgeAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
    {
        string[] all = [.. ids];
        return TryAsync((context, token) => context.Database.ExecuteSqlAsync($"DELETE FROM archive_journal WHERE id = ANY({all})", token), cancellationToken);
    }

    private static JournalledRevocation Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<JournalledRevocation>(text, Json) ?? throw new JsonException("An entry is empty.");
        }
        catch (JsonException exception)
        {
            // Passed over, what it ends would go on.
            throw new IOException($"The journal in the archive holds an entry that this program cannot read: {exception.Message}", exception);
        }
    }

    private async Task<T> TryAsync<T>(Func<ArchiveContext, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await database.CallAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (StorageUnavailableException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    internal sealed record EntryRow(long Position, string Entry);
}
