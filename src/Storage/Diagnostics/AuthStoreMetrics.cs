using System.Diagnostics;
using System.Diagnostics.Metrics;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Storage.Diagnostics;

/// <summary>
/// The <c>authstore_*</c> metrics. Labels are closed sets: <c>Prime</c> touches each series once, so that every counter exists with zero.
/// </summary>
public sealed class AuthStoreMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Maintenance.Storage";

    /// <summary>Why a session ended, as far as the store sees it; expiry is Redis's and shows in its own counter.</summary>
    internal static readonly string[] EndReasons = ["revoked", "revoked_all", "evicted"];

    internal static readonly string[] LookupResults = ["hit", "miss", "denied"];

    internal static readonly string[] RateLimitDecisions = ["allowed", "denied", "penalized", "error"];

    private static readonly string[] ErrorTypes =
        [.. Enum.GetValues<UnavailableReason>().Select(ErrorType), "server_error", "invalid_argument", "other"];

    private readonly Histogram<double> duration;
    private readonly Counter<long> errors;
    private readonly Counter<long> lookups;
    private readonly Counter<long> created;
    private readonly Counter<long> ended;
    private readonly Counter<long> rateLimitDecisions;

    /// <summary>Creates the instruments.</summary>
    public AuthStoreMetrics(IMeterFactory meterFactory)
    {
        ArgumentNullException.ThrowIfNull(meterFactory);
        var meter = meterFactory.Create(MeterName);
        duration = meter.CreateHistogram(
            "authstore.operation.duration",
            "s",
            "Time that a store operation took.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] });
        errors = meter.CreateCounter<long>("authstore.operation.errors", description: "Store operations that failed.");
        lookups = meter.CreateCounter<long>("authstore.lookups", description: "Validations by result.");
        created = meter.CreateCounter<long>("authstore.sessions.created", description: "Sessions created.");
        ended = meter.CreateCounter<long>("authstore.sessions.ended", description: "Sessions ended by this host, by reason.");
        rateLimitDecisions = meter.CreateCounter<long>("authstore.ratelimit.decisions", description: "Decisions of rate limits, by policy.");
    }

    /// <summary>Makes every series of a store exist with zero. Called once, when something listens.</summary>
    internal void Prime(PrimedStore primed)
    {
        var store = primed.Store;
        foreach (var operation in primed.Operations)
        {
            foreach (var type in ErrorTypes)
            {
                errors.Add(0, Tag("store", store), Tag("operation", operation), Tag("error_type", type));
            }
        }

        foreach (var result in primed.CountsLookups ? LookupResults : [])
        {
            lookups.Add(0, Tag("store", store), Tag("result", result));
        }

        foreach (var policy in primed.RateLimitPolicies)
        {
            foreach (var decision in RateLimitDecisions)
            {
                rateLimitDecisions.Add(0, Tag("policy", policy), Tag("decision", decision));
            }
        }

        created.Add(0);
        foreach (var reason in EndReasons)
        {
            ended.Add(0, Tag("reason", reason));
        }
    }

    internal void Operation(string store, string operation, TimeSpan elapsed, Exception? error)
    {
        duration.Record(elapsed.TotalSeconds, Tag("store", store), Tag("operation", operation), Tag("outcome", error is null ? "success" : "error"));
        if (error is not null)
        {
            errors.Add(1, Tag("store", store), Tag("operation", operation), Tag("error_type", ErrorType(error)));
        }
    }

    internal void Lookup(string store, string result) => lookups.Add(1, Tag("store", store), Tag("result", result));

    internal void RateLimitDecision(string policy, string decision) => rateLimitDecisions.Add(1, Tag("policy", policy), Tag("decision", decision));

    internal void SessionCreated() => created.Add(1);

    internal void SessionsEnded(string reason, int count)
    {
        if (count > 0)
        {
            ended.Add(count, Tag("reason", reason));
        }
    }

    internal static string ErrorType(Exception error) => error switch
    {
        StorageUnavailableException unavailable => ErrorType(unavailable.Reason),
        RedisServerException => "server_error",
        ArgumentException => "invalid_argument",
        _ => "other",
    };

    private static string ErrorType(UnavailableReason reason) => reason switch
    {
        UnavailableReason.Connection => "connection",
        UnavailableReason.Deadline => "deadline",
        UnavailableReason.NotServing => "not_serving",
        UnavailableReason.OutOfMemory => "out_of_memory",
        UnavailableReason.Moving => "moving",
        UnavailableReason.Archive => "archive",
        _ => "other",
    };

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
