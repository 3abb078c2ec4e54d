using System.Globalization;
using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Scheduling;
using StackExchange.Redis;

namespace Maintenance.Worker.Results;

/// <summary>The newest result of a job as it stands in Redis, and the time of its last success.</summary>
/// <param name="Newest">The text of the newest result; null if there is none. Its change says that there is something to read.</param>
/// <param name="LastSuccess">When a run last ended with success.</param>
public sealed record ResultHead(string? Newest, DateTimeOffset? LastSuccess);

/// <summary>Results of runs in Redis: the last 50 a job for 30 days, and the time of the last success for 400.</summary>
public sealed class ResultStore(RedisConnection connection, RedisKeys keys)
{
    /// <summary>Results kept a job.</summary>
    public const int Kept = 50;

    private static readonly TimeSpan Life = TimeSpan.FromDays(30);
    private static readonly TimeSpan LastSuccessLife = TimeSpan.FromDays(400);
    private static readonly RedisScript RecordScript = RedisScript.Load(typeof(ResultStore).Assembly, "Results/record.lua");

    /// <summary>Keeps a result. A dry run, or one that did not succeed, leaves the last success as it is.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer, or refused the write.</exception>
    public Task RecordAsync(JobResult result, CancellationToken cancellationToken)
    {
        RedisValue success = result is { Outcome: JobOutcome.Success, DryRun: false } ? Ended(result).ToUnixTimeMilliseconds() : "";
        return connection.EvaluateAsync(
            RecordScript,
            [List(result.Job), LastSuccess(result.Job)],
            [JsonSerializer.Serialize(result, JobResultJson.Options), Kept, (long)Life.TotalMilliseconds, success, (long)LastSuccessLife.TotalMilliseconds],
            cancellationToken);
    }

    /// <summary>The heads of several jobs in one flush.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public async Task<IReadOnlyList<ResultHead>> ReadHeadsAsync(IReadOnlyList<string> jobs, CancellationToken cancellationToken)
    {
        var values = await connection.CallAsync(
            database => Task.WhenAll(jobs.SelectMany(job => new[]
            {
                database.ListGetByIndexAsync(List(job), 0),
                database.StringGetAsync(LastSuccess(job)),
            })),
            cancellationToken);
        return [.. jobs.Select((_, i) => new ResultHead(values[i * 2], Time(values[(i * 2) + 1])))];
    }

    /// <summary>A job's results, newest first. What a neighbouring version wrote in a way that this one cannot read is left out.</summary>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    public async Task<IReadOnlyList<JobResult>> ReadAsync(string job, CancellationToken cancellationToken)
    {
        var values = await connection.CallAsync(database => database.ListRangeAsync(List(job), 0, Kept - 1), cancellationToken);
        return [.. values.Select(Parse).OfType<JobResult>()];
    }

    /// <summary>When a run ended.</summary>
    public static DateTimeOffset Ended(JobResult result) => result.Started + TimeSpan.FromSeconds(result.DurationSeconds);

    // The hash tag puts both keys of a job into one slot, so that one script may write them on a cluster too.
    private RedisKey List(string job) => keys.Maintenance($"results:{{{job}}}");

    private RedisKey LastSuccess(string job) => keys.Maintenance($"last-success:{{{job}}}");

    private static JobResult? Parse(RedisValue value)
    {
        try
        {
            return JsonSerializer.Deserialize<JobResult>((string?)value ?? "null", JobResultJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static DateTimeOffset? Time(RedisValue value) =>
        long.TryParse((string?)value, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
}
