using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using StackExchange.Redis;

namespace Maintenance.Worker.Scheduling;

/// <summary>
/// The <c>maintenance_job_*</c> metrics. Runs, durations and misfires are this replica's; the timestamps of last success and completion come from the
/// results in Redis, so that each replica exports the same and a restart does not forget them.
/// </summary>
public sealed class JobMetrics
{
    private static readonly string[] Outcomes = [.. Enum.GetValues<JobOutcome>().Select(Label)];

    private readonly ConcurrentDictionary<string, JobGauges> gauges = new(StringComparer.Ordinal);
    private readonly Counter<long> runs;
    private readonly Counter<long> misfires;
    private readonly Histogram<double> duration;

    /// <summary>Creates the instruments, with every counter's series at zero.</summary>
    public JobMetrics(IMeterFactory meterFactory, IEnumerable<JobRegistration> jobs)
    {
        ArgumentNullException.ThrowIfNull(meterFactory);
        ArgumentNullException.ThrowIfNull(jobs);
        var meter = meterFactory.Create(WorkerMeter.Name);
        runs = meter.CreateCounter<long>("maintenance.job.runs", description: "Runs of this replica by outcome.");
        misfires = meter.CreateCounter<long>("maintenance.job.misfires", description: "Due times passed over because a run took too long or the process stood still.");
        duration = meter.CreateHistogram(
            "maintenance.job.duration",
            "s",
            "Time that a run took; skipped ones are not in it.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600] });
        Gauge(meter, "maintenance.job.running", null, "1 while this replica runs the job.", job => job.Running);
        Gauge(meter, "maintenance.job.interval", "s", "Time between two due times; absent when the job is not scheduled.", job => job.IntervalSeconds);
        Gauge(meter, "maintenance.job.last_success.timestamp", "s", "When a run on any replica last ended with success.", job => job.LastSuccessSeconds);
        Gauge(meter, "maintenance.job.last_completion.timestamp", "s", "When a run on any replica last ended, however.", job => job.LastCompletionSeconds);
        Gauge(meter, "maintenance.job.next_run.timestamp", "s", "When the job is next due on this replica.", job => job.NextRunSeconds);
        var build = Build();
        meter.CreateObservableGauge("maintenance.build_info", () => build, description: "What runs here; always 1.");

        foreach (var job in jobs)
        {
            gauges[job.Name] = new JobGauges();
            misfires.Add(0, Task(job.Name));
            foreach (var outcome in Outcomes)
            {
                runs.Add(0, Task(job.Name), new("outcome", outcome));
            }
        }
    }

    /// <summary>The outcome as a label.</summary>
    public static string Label(JobOutcome outcome) => outcome switch
    {
        JobOutcome.Success => "success",
        JobOutcome.Failed => "failed",
        JobOutcome.Canceled => "canceled",
        _ => "skipped",
    };

    /// <summary>Label <c>task</c>; never <c>job</c>, which Prometheus sets.</summary>
    internal static KeyValuePair<string, object?> Task(string job) => new("task", job);

    internal void Ended(JobResult result)
    {
        runs.Add(1, Task(result.Job), new("outcome", Label(result.Outcome)));
        if (result.Outcome != JobOutcome.Skipped)
        {
            duration.Record(result.DurationSeconds, Task(result.Job));
        }
    }

    internal void Misfired(string job, long dueTimes) => misfires.Add(dueTimes, Task(job));

    internal void Running(string job, bool running) => Of(job).Running = running ? 1 : 0;

    internal void Scheduled(string job, TimeSpan interval, DateTimeOffset? next)
    {
        var gauge = Of(job);
        gauge.IntervalSeconds = interval.TotalSeconds;
        gauge.NextRunSeconds = next is { } time ? Seconds(time) : double.NaN;
    }

    internal void Completed(string job, DateTimeOffset? lastSuccess, DateTimeOffset? lastCompletion)
    {
        var gauge = Of(job);
        gauge.LastSuccessSeconds = lastSuccess is { } success ? Seconds(success) : gauge.LastSuccessSeconds;
        gauge.LastCompletionSeconds = lastCompletion is { } completion ? Seconds(completion) : gauge.LastCompletionSeconds;
    }

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    private static Measurement<int> Build()
    {
        var version = typeof(JobMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        var plus = version.IndexOf('+', StringComparison.Ordinal);
        return new Measurement<int>(
            1,
            new("version", plus < 0 ? version : version[..plus]),
            new("commit", plus < 0 ? "unknown" : version[(plus + 1)..]),
            new("redis_client", typeof(ConnectionMultiplexer).Assembly.GetName().Version?.ToString(3) ?? "unknown"));
    }

    private JobGauges Of(string job) => gauges.GetOrAdd(job, _ => new JobGauges());

    private void Gauge(Meter meter, string name, string? unit, string description, Func<JobGauges, double> value) =>
        meter.CreateObservableGauge(
            name,
            () => gauges.Select(job => new Measurement<double>(value(job.Value), Task(job.Key))).Where(measurement => !double.IsNaN(measurement.Value)),
            unit,
            description);

    // NaN is "no value yet". Plain doubles, because a scrape reads them while a run writes them.
    private sealed class JobGauges
    {
        public double Running { get; set; }

        public double IntervalSeconds { get; set; } = double.NaN;

        public double LastSuccessSeconds { get; set; } = double.NaN;

        public double LastCompletionSeconds { get; set; } = double.NaN;

        public double NextRunSeconds { get; set; } = double.NaN;
    }
}
