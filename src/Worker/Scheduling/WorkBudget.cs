using System.Numerics;

namespace Maintenance.Worker.Scheduling;

/// <summary>How hard a job may work Redis. Bound from <c>Jobs:&lt;Name&gt;:Budget</c>.</summary>
/// <remarks>
/// Measured with one million sessions: COUNT 1000 unpaced multiplies a foreground client's median latency by 14; COUNT 100 in batches of 100 by
/// 3; COUNT 100, batches of 50, at a quarter duty by 1.1. Hence the defaults.
/// </remarks>
public sealed class BudgetOptions
{
    /// <summary>Commands a second, on average. Default 20,000.</summary>
    public int CommandsPerSecond { get; set; } = 20_000;

    /// <summary>Share of the time that commands may be in flight, above 0 to 1. Default 0.25.</summary>
    public double DutyCycle { get; set; } = 0.25;

    /// <summary>COUNT of a SCAN. Default 100.</summary>
    public int ScanCount { get; set; } = 100;

    /// <summary>Commands in one flush. Default 50.</summary>
    public int BatchSize { get; set; } = 50;

    /// <summary>Work at a third of the speed, and less, while a batch takes so many times what such a batch took at best. Default 3.</summary>
    public double SlowdownRatio { get; set; } = 3;
}

/// <summary>Paces a job's batches: a rate, a duty cycle, and slower still while Redis answers slowly. One budget a run.</summary>
public sealed class WorkBudget
{
    // Below this a pause costs more in timers than it saves; it is added to the next one.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(2);
    private const double SmoothingFactor = 0.2;
    private const double MostSlowdown = 8;

    // A machine that stood still for a moment says nothing of Redis: one batch counts as at most so many times what its like takes, so that a pause is
    // not as many times the standstill. A Redis that has become slow is seen all the same, a few batches later.
    private const double MostOfOneBatch = 10;
    private static readonly TimeSpan ShortestStall = TimeSpan.FromMilliseconds(50);

    private readonly BudgetOptions? options;
    private readonly TimeProvider timeProvider;
    // Like is compared with like: one script costs a round trip, fifty together hardly more, and a page of a scan something else.
    private readonly Dictionary<(string Kind, int Size), Pace> paces = [];
    private TimeSpan owed;

    /// <summary>Creates a budget.</summary>
    public WorkBudget(BudgetOptions options, TimeProvider timeProvider)
        : this(options, timeProvider, options?.ScanCount ?? 0, options?.BatchSize ?? 0)
    {
        ArgumentNullException.ThrowIfNull(options);
    }

    private WorkBudget(BudgetOptions? options, TimeProvider timeProvider, int scanCount, int batchSize)
    {
        this.options = options;
        this.timeProvider = timeProvider;
        ScanCount = scanCount;
        BatchSize = batchSize;
    }

    /// <summary>COUNT for a SCAN.</summary>
    public int ScanCount { get; }

    /// <summary>Commands to put in one flush.</summary>
    public int BatchSize { get; }

    /// <summary>How many times slower than allowed the job goes now because Redis answers slowly; 1 is not slowed.</summary>
    public double Slowdown { get; private set; } = 1;

    /// <summary>Full speed, for when a person asks for it.</summary>
    public static WorkBudget FullSpeed(TimeProvider timeProvider) => new(null, timeProvider, scanCount: 1000, batchSize: 500);

    /// <summary>Runs one batch and then pauses as long as the budget says.</summary>
    /// <param name="kind">What the batch does. How long it takes is compared with others of its kind and about its size.</param>
    /// <param name="commands">Commands in the batch.</param>
    /// <param name="batch">Sends them and awaits the answers.</param>
    /// <param name="cancellationToken">Ends the pause at once.</param>
    public async Task<T> SpendAsync<T>(string kind, int commands, Func<Task<T>> batch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var started = timeProvider.GetTimestamp();
        var result = await batch();
        if (options is null)
        {
            return result;
        }

        var elapsed = timeProvider.GetElapsedTime(started);
        var byDuty = Learn(kind, elapsed, commands) * ((1 / options.DutyCycle) - 1);
        var byRate = TimeSpan.FromSeconds((double)commands / options.CommandsPerSecond) - elapsed;
        owed += (byDuty > byRate ? byDuty : byRate) * Slowdown;
        if (owed >= ShortestPause)
        {
            var pausing = timeProvider.GetTimestamp();
            await Task.Delay(owed, timeProvider, cancellationToken);
            // Timers run late; what was slept too long is not owed again.
            owed -= timeProvider.GetElapsedTime(pausing);
            owed = owed < -ShortestPause * 5 ? -ShortestPause * 5 : owed;
        }

        return result;
    }

    /// <summary>Takes one in; returns as what it counts.</summary>
    private TimeSpan Learn(string kind, TimeSpan elapsed, int commands)
    {
        // Sizes within a factor of two are alike: they differ by less than what counts as slow.
        var key = (kind, BitOperations.Log2((uint)Math.Max(commands, 1)));
        if (!paces.TryGetValue(key, out var pace))
        {
            paces[key] = pace = new Pace();
        }

        var counted = pace.Most is { } most && elapsed > most ? most : elapsed;
        Slowdown = pace.Learn(counted) is var ratio && ratio > options!.SlowdownRatio ? Math.Min(MostSlowdown, ratio) : 1;
        return counted;
    }

    /// <summary>How long batches of one kind and size take.</summary>
    private sealed class Pace
    {
        private double smoothed;
        private double best = double.MaxValue;

        /// <summary>As what the next one counts at most; null before the first.</summary>
        public TimeSpan? Most => smoothed <= 0 ? null : TimeSpan.FromMicroseconds(Math.Max(smoothed * MostOfOneBatch, ShortestStall.TotalMicroseconds));

        /// <summary>Takes one in; returns how many times their best they take now.</summary>
        public double Learn(TimeSpan elapsed)
        {
            smoothed = smoothed <= 0 ? elapsed.TotalMicroseconds : smoothed + (SmoothingFactor * (elapsed.TotalMicroseconds - smoothed));
            best = Math.Min(best, Math.Max(smoothed, 1));
            return smoothed / best;
        }
    }
}
