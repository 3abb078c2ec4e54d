using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using Maintenance.Storage.Diagnostics;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Bench;

/// <content>A log-in against its password hash.</content>
internal static partial class HostBenchmark
{
    private static async Task LogInAsync(WebApplication host)
    {
        using var client = Client(host);
        // As many as keep their sessions few: an account at its cap has one ended by each log-in.
        var emails = new List<string>();
        while (emails.Count < LogIns)
        {
            emails.Add(await RegisterAsync(client));
        }

        var next = 0;
        async Task OnceAsync() => (await client.PostAsJsonAsync(
            "/api/auth/login", new { email = emails[Interlocked.Increment(ref next) % emails.Count], password = Password })).EnsureSuccessStatusCode();
        var hasher = host.Services.GetRequiredService<TimedHasher>();
        var (hash, rest) = (new List<double>(), new List<double>());
        // A log-in is compiled well when it has been called often, and at leisure.
        for (var i = -4 * LogIns; i < LogIns; i++)
        {
            await Task.Delay(Pause, TimeProvider.System);
            var whole = await TimeAsync(OnceAsync);
            if (i >= 0)
            {
                hash.Add(hasher.LastMilliseconds);
                rest.Add(whole - hasher.LastMilliseconds);
            }
        }

        Console.WriteLine(Statistics.Row("login over HTTP: its hash, ms", hash, "0.00"));
        Console.WriteLine(Statistics.Row("login over HTTP: all but it, ms", rest, "0.00"));
        Console.WriteLine(Statistics.Row("  share of the hash", [.. rest.Zip(hash, (r, h) => r / h)], "0.000"));
        await CapacityAsync(host, emails[0], OnceAsync);
        await ExplainAsync(hasher, OnceAsync);
    }

    /// <summary>How many log-ins a host that is busy with them does, beside how many hashes it does with nothing else.</summary>
    private static async Task CapacityAsync(WebApplication host, string email, Func<Task> logIn)
    {
        var passwords = host.Services.GetRequiredService<PasswordWork>();
        User user;
        using (var scope = host.Services.CreateScope())
        {
            user = (await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByEmailAsync(email))!;
        }

        var (hashes, logIns) = (new List<double>(), new List<double>());
        for (var run = 0; run < Runs; run++)
        {
            hashes.Add(await PerSecondAsync(() => passwords.CheckAsync(user, Password, default)));
            logIns.Add(await PerSecondAsync(logIn));
        }

        Console.WriteLine(Statistics.Row("hashes alone, per second", hashes));
        Console.WriteLine(Statistics.Row("log-ins, per second", logIns));
        Console.WriteLine(Statistics.Row("  share of the hashes", [.. logIns.Zip(hashes, (l, h) => l / h)], "0.000"));
    }

    private static async Task<double> PerSecondAsync(Func<Task> work)
    {
        var (done, started) = (0, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started).TotalSeconds < Seconds)
            {
                await work();
                Interlocked.Increment(ref done);
            }
        })));
        return done / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>What a request asks of others, in its order. Traced, so by itself.</summary>
    private static async Task ExplainAsync(TimedHasher hasher, Func<Task> send)
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is StorageTrace.SourceName or "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var seen = new List<(int Place, string Name, double At, double Milliseconds)>();
        for (var i = 0; i < LogIns / 2; i++)
        {
            await Task.Delay(Pause, TimeProvider.System);
            spans.Clear();
            using var trace = new Activity("asked").Start();
            await send();
            seen.AddRange(spans.Where(span => span.TraceId == trace.TraceId)
                .Select(span => (span.DisplayName, span.StartTimeUtc, span.Duration.TotalMilliseconds))
                .Append(("the hash", hasher.LastStarted, hasher.LastMilliseconds))
                .OrderBy(span => span.Item2)
                .Select((span, place) => (place, span.Item1, (span.Item2 - trace.StartTimeUtc).TotalMilliseconds, span.Item3)));
        }

        foreach (var call in seen.GroupBy(span => (span.Place, span.Name)).OrderBy(group => group.Key.Place))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"    {call.Key.Name,-34} begins at {Statistics.Median([.. call.Select(span => span.At)]),7:0.00} ms, takes {Statistics.Median([.. call.Select(span => span.Milliseconds)]):0.00} ms ({call.Count()} times)"));
        }
    }

    /// <summary>The host's hasher, which tells how long its last comparison took. One log-in at a time.</summary>
    private sealed class TimedHasher(IOptions<PasswordHasherOptions> options) : IPasswordHasher<User>
    {
        private readonly PasswordHasher<User> inner = new(options);

        public DateTime LastStarted { get; private set; }

        public double LastMilliseconds { get; private set; }

        public string HashPassword(User user, string password) => inner.HashPassword(user, password);

        public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword)
        {
            LastStarted = TimeProvider.System.GetUtcNow().UtcDateTime;
            var started = Stopwatch.GetTimestamp();
            var result = inner.VerifyHashedPassword(user, hashedPassword, providedPassword);
            LastMilliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            return result;
        }
    }
}
