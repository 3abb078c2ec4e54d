using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Maintenance.Testing;

/// <summary>Awaits a condition with a deadline, so that no test sleeps for a guessed time.</summary>
public static class Eventually
{
    /// <summary>How long a condition is awaited when the caller names no deadline.</summary>
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    // A machine that stood still has given the condition no time to become true. Bounded, because a slow one oversleeps always.
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestExtension = TimeSpan.FromSeconds(60);

    /// <summary>Returns when the condition is true; fails with its source text when the deadline passes.</summary>
    public static Task TrueAsync(
        Func<bool> condition,
        TimeSpan? within = null,
        string? because = null,
        [CallerArgumentExpression(nameof(condition))] string expression = "") =>
        TrueAsync(() => Task.FromResult(condition()), within, because, expression);

    /// <summary>Returns when the awaited condition is true; a condition that throws counts as not yet true.</summary>
    public static async Task TrueAsync(
        Func<Task<bool>> condition,
        TimeSpan? within = null,
        string? because = null,
        [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        await PollAsync(async () => (await condition(), 0), within, because, expression);
    }

    /// <summary>Returns the first result that is not null.</summary>
    public static async Task<T> NotNullAsync<T>(
        Func<Task<T?>> source,
        TimeSpan? within = null,
        string? because = null,
        [CallerArgumentExpression(nameof(source))] string expression = "")
        where T : class
    {
        var found = await PollAsync(
            async () =>
            {
                var value = await source();
                return (value is not null, value);
            },
            within,
            because,
            expression);
        return found!;
    }

    /// <summary>Returns when the assertion no longer throws; its last failure is the message when the deadline passes.</summary>
    public static async Task SucceedsAsync(
        Func<Task> assertion,
        TimeSpan? within = null,
        string? because = null,
        [CallerArgumentExpression(nameof(assertion))] string expression = "")
    {
        await PollAsync(
            async () =>
            {
                await assertion();
                return (true, 0);
            },
            within,
            because,
            expression);
    }

    private static async Task<T> PollAsync<T>(Func<Task<(bool Done, T Value)>> attempt, TimeSpan? within, string? because, string expression)
    {
        var deadline = within ?? DefaultDeadline;
        var latest = deadline + LongestExtension;
        var started = Stopwatch.GetTimestamp();
        var attempts = 0;
        Exception? last = null;
        do
        {
            if (attempts++ > 0)
            {
                var paused = Stopwatch.GetTimestamp();
                await Task.Delay(Interval, TimeProvider.System);
                var overslept = Stopwatch.GetElapsedTime(paused) - Interval;
                deadline = overslept < Stall ? deadline : deadline + overslept < latest ? deadline + overslept : latest;
            }

            try
            {
                var left = deadline - Stopwatch.GetElapsedTime(started);
                var (done, value) = await attempt().WaitAsync(left > Interval ? left : Interval);
                if (done)
                {
                    return value;
                }

                last = null;
            }
            catch (Exception e)
            {
                last = e;
            }
        }
        while (Stopwatch.GetElapsedTime(started) < deadline);

        var reason = because is null ? string.Empty : $" ({because})";
        var failure = last is null ? string.Empty : $" Last failure: {last.GetType().Name}: {last.Message}";
        throw new TimeoutException(
            $"Not true within {deadline.TotalSeconds:0.###} s, {attempts} attempts{reason}: {expression}.{failure}", last);
    }
}
