using System.Text.Json;

namespace Maintenance.Worker.Scheduling;

/// <summary>What a run collects. Safe to use from several tasks of the run.</summary>
public sealed class JobReport
{
    // A broken store yields one error a key; more than this says nothing more.
    private const int MaxMessages = 20;

    private readonly Lock gate = new();
    private readonly SortedDictionary<string, long> counts = new(StringComparer.Ordinal);
    private readonly List<string> warnings = [];
    private readonly List<string> errors = [];
    private readonly HashSet<string> unavailable = new(StringComparer.Ordinal);
    private long errorCount;
    private JsonElement? snapshot;

    /// <summary>Errors so far, also those whose text was not kept.</summary>
    public long ErrorCount => Interlocked.Read(ref errorCount);

    /// <summary>Adds to a count. Names are snake case and stable: they appear in results and logs, for example <c>index_members_removed</c>.</summary>
    public void Add(string count, long by = 1)
    {
        lock (gate)
        {
            counts[count] = counts.GetValueOrDefault(count) + by;
        }
    }

    /// <summary>The count's value so far.</summary>
    public long Count(string count)
    {
        lock (gate)
        {
            return counts.GetValueOrDefault(count);
        }
    }

    /// <summary>Notes something that a person should know and that is no failure.</summary>
    public void Warn(string message) => Keep(warnings, message);

    /// <summary>Notes an error; the run goes on with the rest and ends as failed. No secret and no whole session id in the text.</summary>
    public void Error(string message)
    {
        Interlocked.Increment(ref errorCount);
        Keep(errors, message);
    }

    /// <summary>Notes that the server does not offer something, for example <c>SLOWLOG GET</c>. Logged once a process, not once a run.</summary>
    public void NotAvailable(string what)
    {
        lock (gate)
        {
            unavailable.Add(what);
        }
    }

    /// <summary>Figures from which every replica makes its gauges. Replaces an earlier one. Serialized with <see cref="JobResultJson"/>'s options.</summary>
    public void SetSnapshot<T>(T value)
    {
        lock (gate)
        {
            snapshot = JsonSerializer.SerializeToElement(value, JobResultJson.Options);
        }
    }

    /// <summary>What was collected, as it stands in a result.</summary>
    internal (IReadOnlyDictionary<string, long> Counts, IReadOnlyList<string> Warnings, IReadOnlyList<string> Errors, IReadOnlyList<string> Unavailable, JsonElement? Snapshot) Close()
    {
        lock (gate)
        {
            return (new SortedDictionary<string, long>(counts, StringComparer.Ordinal), [.. warnings], [.. errors], [.. unavailable.Order(StringComparer.Ordinal)], snapshot);
        }
    }

    private void Keep(List<string> list, string message)
    {
        lock (gate)
        {
            if (list.Count < MaxMessages && !list.Contains(message, StringComparer.Ordinal))
            {
                list.Add(message);
            }
        }
    }
}
