using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker;

/// <summary>Every message of the worker. Event ids 2000 to 2999: 2000 hosting and scheduling, 2100 lease, 2200 cleanup, 2300 reconciliation, 2400 health,
/// 2500 memory, 2600 statistics, 2700 alerting, 2800 demo.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Information,
        "Job {Job} run {RunId} ended: {Outcome}{Reason} in {DurationSeconds} s; due {Due}, dry run {DryRun}; {Counts}; {ErrorCount} errors{FirstError}")]
    public static partial void RunEnded(
        this ILogger logger, string job, string runId, JobOutcome outcome, string reason, double durationSeconds, string due, bool dryRun, string counts, long errorCount, string firstError);

    [LoggerMessage(2001, LogLevel.Error,
        "Job {Job} run {RunId} ended: {Outcome}{Reason} in {DurationSeconds} s; due {Due}, dry run {DryRun}; {Counts}; {ErrorCount} errors{FirstError}")]
    public static partial void RunFailed(
        this ILogger logger, string job, string runId, JobOutcome outcome, string reason, double durationSeconds, string due, bool dryRun, string counts, long errorCount, string firstError);

    [LoggerMessage(2002, LogLevel.Debug, "Job {Job} skipped: {Reason}; due {Due}")]
    public static partial void RunSkipped(this ILogger logger, string job, string reason, string due);

    [LoggerMessage(2003, LogLevel.Warning, "Job {Job}: {Warning}")]
    public static partial void RunWarned(this ILogger logger, string job, string warning);

    [LoggerMessage(2004, LogLevel.Information, "Not offered by this Redis: {What} (first needed by job {Job}); the rest works")]
    public static partial void NotAvailable(this ILogger logger, string what, string job);

    [LoggerMessage(2005, LogLevel.Error, "Job {Job} run {RunId} broke off")]
    public static partial void RunBroke(this ILogger logger, Exception exception, string job, string runId);

    [LoggerMessage(2006, LogLevel.Warning, "Result of job {Job} run {RunId} could not be written to Redis: {Problem}. This replica goes on with it alone")]
    public static partial void ResultNotWritten(this ILogger logger, string job, string runId, string problem);

    [LoggerMessage(2007, LogLevel.Information, "Job {Job} scheduled: {Schedule}, first at {First}")]
    public static partial void JobScheduled(this ILogger logger, string job, string schedule, string first);

    [LoggerMessage(2008, LogLevel.Information, "Job {Job} is not scheduled (Jobs:{Section}:Enabled is false); it can be run by hand")]
    public static partial void JobDisabled(this ILogger logger, string job, string section);

    [LoggerMessage(2009, LogLevel.Warning, "Job {Job} passed over {Count} due times: the run before took longer than its interval, or this process stood still")]
    public static partial void Misfired(this ILogger logger, string job, long count);

    [LoggerMessage(2010, LogLevel.Warning, "Results could not be read from Redis: {Problem}. Figures stay as they are until it answers")]
    public static partial void ResultsNotRead(this ILogger logger, string problem);

    [LoggerMessage(2011, LogLevel.Information, "Results are read from Redis again")]
    public static partial void ResultsReadAgain(this ILogger logger);

    [LoggerMessage(2012, LogLevel.Error, "The metrics of job {Job} could not take the result of run {RunId}")]
    public static partial void ObserverFailed(this ILogger logger, Exception exception, string job, string runId);

    [LoggerMessage(2013, LogLevel.Information, "All jobs paused until {Until} by {By}")]
    public static partial void Paused(this ILogger logger, string until, string by);

    [LoggerMessage(2014, LogLevel.Information, "Pause ended by {By}")]
    public static partial void Resumed(this ILogger logger, string by);

    [LoggerMessage(2015, LogLevel.Warning, "Job {Job} runs without its lease: {Problem}")]
    public static partial void RunsWithoutLease(this ILogger logger, string job, string problem);

    [LoggerMessage(2016, LogLevel.Warning, "A run did not end before this process had to; its lease runs out by itself")]
    public static partial void RunsNotEnded(this ILogger logger);

    [LoggerMessage(2017, LogLevel.Warning, "A wrong management token from {Address}: {Count} within a minute; after {Most} none is looked at")]
    public static partial void WrongToken(this ILogger logger, string address, int count, int most);

    [LoggerMessage(2018, LogLevel.Warning,
        "Storage:Redis:Deadline is {Deadline} s, and a worker that is ended has {Shutdown} s to finish its batch and write its result: one call that hangs is enough to cut it off. Set it below")]
    public static partial void DeadlineOutlastsShutdown(this ILogger logger, double deadline, double shutdown);

    [LoggerMessage(2100, LogLevel.Warning, "Lease of job {Job} lost: {Reason}. The run stops")]
    public static partial void LeaseLost(this ILogger logger, string job, string reason);

    [LoggerMessage(2101, LogLevel.Warning, "Lease of job {Job} could not be renewed: {Problem}. Trying on until it runs out")]
    public static partial void LeaseNotRenewed(this ILogger logger, string job, string problem);

    [LoggerMessage(2102, LogLevel.Warning, "Lease of job {Job} could not be ended: {Problem}. It runs out by itself")]
    public static partial void LeaseNotEnded(this ILogger logger, string job, string problem);

    [LoggerMessage(2103, LogLevel.Warning, "Job {Job} was due {Ahead} ahead of Redis's clock: this replica's clock is wrong, and the run is left to others")]
    public static partial void ClockAhead(this ILogger logger, string job, TimeSpan ahead);

    [LoggerMessage(2300, LogLevel.Information, "Redis is another process than at the last reconciliation (restart or failover): a full pass begins")]
    public static partial void ReconcilesAfterFailover(this ILogger logger);

    [LoggerMessage(2301, LogLevel.Warning, "The reconciliation after a failover could not begin; the next scheduled one makes up for it")]
    public static partial void FailoverPassNotBegun(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2700, Message = "Alert {Alert} firing, {Severity}, since {Since}, repeated {Repeated}: {Summary} (runbook: {Runbook})")]
    public static partial void AlertFiring(
        this ILogger logger, LogLevel level, string alert, Alerting.AlertSeverity severity, DateTimeOffset since, bool repeated, string summary, string runbook);

    [LoggerMessage(2701, LogLevel.Information, "Alert {Alert} resolved, fired since {Since}; it said: {Summary}")]
    public static partial void AlertResolved(this ILogger logger, string alert, DateTimeOffset since, string summary);

    [LoggerMessage(2702, LogLevel.Warning, "Sink {Sink} does not take alerts ({Count} now): {Problem}. They are sent again until it does")]
    public static partial void SinkFailed(this ILogger logger, string sink, int count, string problem);

    [LoggerMessage(2703, LogLevel.Warning,
        "Shutdown: a sink did not end within {Seconds} s, and {Count} alerts that were queued behind were not sent; those that last are sent again after Alerting:RepeatInterval")]
    public static partial void AlertsNotSent(this ILogger logger, int count, double seconds);

    [LoggerMessage(2704, LogLevel.Information, "Sink {Sink} takes alerts again")]
    public static partial void SinkRecovered(this ILogger logger, string sink);

    [LoggerMessage(2705, LogLevel.Error, "Sink {Sink} refused {Count} alerts for good: {Problem}")]
    public static partial void SinkRefused(this ILogger logger, string sink, int count, string problem);

    [LoggerMessage(2706, LogLevel.Warning, "Alert {Alert} was found by another replica that did not tell it; this one does")]
    public static partial void AlertMissed(this ILogger logger, string alert);
}
