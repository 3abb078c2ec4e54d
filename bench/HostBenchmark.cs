using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Maintenance.Archive.Migrations;
using Maintenance.Storage.Diagnostics;
using Maintenance.Testing;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Maintenance.Bench;

/// <summary>
/// The web host over real HTTP, on Redis and PostgreSQL: <c>verify</c> against an endpoint that does nothing, a log-in against its password hash, and
/// whether a known address takes another time than an unknown one. <c>./dev bench host [verify|login|times] [requests]</c>: only that one; requests of each kind for the last (500).
/// </summary>
internal static class HostBenchmark
{
    private const int Runs = 7;
    // What runs seldom is compiled quickly, and well only after a while; on a busy machine after a long while.
    private const int WarmUps = 3;
    private const int Connections = 64;
    private const int Seconds = 4;
    private const int LogIns = 100;
    // What is done behind a request is over then, so that it does not count for the next one.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);
    private const string Password = "correct horse battery";

    public static async Task RunAsync(string[] arguments)
    {
        var parts = arguments.Intersect(["verify", "login", "times"]).DefaultIfEmpty("all").ToHashSet();
        bool Asked(string part) => parts.Contains(part) || parts.Contains("all");
        var times = arguments.Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).FirstOrDefault(number => number > 0);
        await using var redis = await RedisServer.StartAsync();
        await using var postgres = await PostgresServer.StartAsync();
        var database = await postgres.CreateDatabaseAsync();
        await using (var source = NpgsqlDataSource.Create(database.ConnectionString))
        {
            await new SchemaMigrator(source, NullLogger.Instance).ApplyAsync([DatabaseMigration.Schema], default);
        }

        if (Asked("verify") || Asked("login"))
        {
            await using var host = await StartAsync(redis.Url, database.ConnectionString, iterations: 210_000);
            if (Asked("verify"))
            {
                await VerifyAsync(host, redis.ProcessId);
            }

            if (Asked("login"))
            {
                await LogInAsync(host);
            }
        }

        if (Asked("times"))
        {
            // The cheapest hash that the settings allow: what differs weighs most then.
            await using var host = await StartAsync(redis.Url, database.ConnectionString, iterations: 100_000);
            await EnumerationAsync(host, times > 0 ? times : 500);
        }
    }

    private static async Task<WebApplication> StartAsync(string redis, string database, int iterations)
    {
        var mail = Directory.CreateTempSubdirectory("maintenance-mail-").FullName;
        string[] settings =
        [
            "environment=Production", "Api:Port=0", "Api:Address=127.0.0.1", "Management:Port=0", "Management:Address=127.0.0.1", $"REDIS_URL={redis}",
            $"DATABASE_URL={database}", $"Mail:Folder={mail}", $"Passwords:HashIterations={iterations}", "Verify:PermitsPerSecond=10000000",
            // Whatever else this machine does must not fail a request: what is measured is speed, not patience.
            "Storage:Redis:Deadline=00:00:05",
            .. ((string[])["login", "login-account", "register", "mail", "mail-account"]).Select(limit => $"Storage:RateLimits:{limit}:Permits=600000"),
            .. ((string[])["login-account", "mail-account"]).Select(limit => $"Storage:RateLimits:{limit}:Period=00:01:00"),
        ];
        var app = HostSetup.Build([.. settings.Select(setting => $"--{setting}")], builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddSingleton<TimedHasher>();
            builder.Services.Replace(ServiceDescriptor.Singleton<IPasswordHasher<User>>(provider => provider.GetRequiredService<TimedHasher>()));
        });
        app.MapGet("/empty", () => TypedResults.Ok());
        await app.StartAsync();
        return app;
    }

    private static async Task VerifyAsync(WebApplication host, int redis)
    {
        using var client = Client(host);
        var email = await RegisterAsync(client);
        var login = await client.PostAsJsonAsync("/api/auth/login", new { email, password = Password });
        var token = (await login.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sessionToken").GetString()!;
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        (await client.PostAsync(new Uri("/api/auth/verify", UriKind.Relative), null)).EnsureSuccessStatusCode();

        var (empty, verify) = (new List<Wrk>(), new List<Wrk>());
        for (var run = -WarmUps; run < Runs; run++)
        {
            var nothing = await WrkAsync($"{client.BaseAddress}empty", token: null, redis);
            var verified = await WrkAsync($"{client.BaseAddress}api/auth/verify", token, redis);
            if (run >= 0)
            {
                empty.Add(nothing);
                verify.Add(verified);
            }
        }

        Console.WriteLine(Statistics.Row("empty endpoint, requests/s", [.. empty.Select(run => run.PerSecond)]));
        Console.WriteLine(Statistics.Row("verify, requests/s", [.. verify.Select(run => run.PerSecond)]));
        Console.WriteLine(Statistics.Row("  share of the empty endpoint", [.. verify.Zip(empty, (v, e) => v.PerSecond / e.PerSecond)], "0.000"));
        // What a busy machine does not change: the time that the processors spent for a request, here and in Redis.
        Console.WriteLine(Statistics.Row("empty endpoint, CPU us a request", [.. empty.Select(run => run.CpuMicroseconds)]));
        Console.WriteLine(Statistics.Row("verify, CPU us a request", [.. verify.Select(run => run.CpuMicroseconds)]));
        Console.WriteLine(Statistics.Row("empty endpoint, p99 ms", [.. empty.Select(run => run.P99Milliseconds)], "0.00"));
        Console.WriteLine(Statistics.Row("verify, p99 ms", [.. verify.Select(run => run.P99Milliseconds)], "0.00"));
        Console.WriteLine(Statistics.Row("  multiple of the empty endpoint", [.. verify.Zip(empty, (v, e) => v.P99Milliseconds / e.P99Milliseconds)], "0.00"));
    }

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
        for (var i = -LogIns; i < LogIns; i++)
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

    private static async Task EnumerationAsync(WebApplication host, int times)
    {
        using var client = Client(host);
        var known = await RegisterAsync(client);
        await CompareAsync("login", email => client.PostAsJsonAsync("/api/auth/login", new { email, password = "a wrong password" }));
        await CompareAsync("register", email => client.PostAsJsonAsync("/api/auth/register", new { email, password = Password, name = "Ann" }));
        await CompareAsync("forgot-password", email => client.PostAsJsonAsync("/api/auth/forgot-password", new { email }));

        async Task CompareAsync(string what, Func<string, Task<HttpResponseMessage>> send)
        {
            var (of, unknown) = (new List<double>(times), new List<double>(times));
            for (var i = -20; i < times; i++)
            {
                // Which comes first is left to chance: in any pattern one of the two would follow the other's work more often.
                var order = Random.Shared.Next(2) == 0;
                for (var turn = 0; turn < 2; turn++)
                {
                    var isKnown = (turn == 0) == order;
                    var address = isKnown ? known : NewAddress();
                    await Task.Delay(Pause, TimeProvider.System);
                    var elapsed = await TimeAsync(async () => (await send(address)).Dispose());
                    if (i >= 0)
                    {
                        (isKnown ? of : unknown).Add(elapsed);
                    }
                }
            }

            var (first, second) = (Statistics.Median(of), Statistics.Median(unknown));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {what,-16} median of {times}: known {first:0.000} ms, unknown {second:0.000} ms, apart {Math.Abs(first - second) / Math.Min(first, second):P1}"));
        }
    }

    private static HttpClient Client(WebApplication host) => new() { BaseAddress = new Uri(host.Urls.First()) };

    private static string NewAddress() => $"user-{Guid.NewGuid():N}@example.com";

    private static async Task<string> RegisterAsync(HttpClient client)
    {
        var email = NewAddress();
        (await client.PostAsJsonAsync("/api/auth/register", new { email, password = Password, name = "Ann" })).EnsureSuccessStatusCode();
        return email;
    }

    private static async Task<double> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<Wrk> WrkAsync(string url, string? token, int redis)
    {
        string[] header = token is null ? [] : ["-H", $"Authorization: Bearer {token}"];
        var before = Cpu(redis);
        await using var wrk = ChildProcess.Start("wrk", ["-t2", $"-c{Connections}", $"-d{Seconds}s", "--latency", .. header, url]);
        if (await wrk.WaitForExitAsync(TimeSpan.FromSeconds(60)) != 0)
        {
            throw new InvalidOperationException(wrk.Tail());
        }

        var run = Wrk.Parse(wrk.Output);
        return run with { CpuMicroseconds = (Cpu(redis) - before).TotalMicroseconds / (run.PerSecond * Seconds) };
    }

    private static TimeSpan Cpu(int redis)
    {
        using var server = Process.GetProcessById(redis);
        return Environment.CpuUsage.TotalTime + server.TotalProcessorTime;
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

    private sealed record Wrk(double PerSecond, double P99Milliseconds)
    {
        public double CpuMicroseconds { get; init; }

        public static Wrk Parse(IReadOnlyList<string> lines)
        {
            if (lines.FirstOrDefault(line => line.Contains("Non-2xx", StringComparison.Ordinal)) is { } failed)
            {
                throw new InvalidOperationException($"wrk: {failed.Trim()}");
            }

            var latency = Last(lines.First(line => line.TrimStart().StartsWith("99%", StringComparison.Ordinal)));
            var (factor, unit) = latency.EndsWith("us", StringComparison.Ordinal) ? (0.001, 2) : latency.EndsWith("ms", StringComparison.Ordinal) ? (1.0, 2) : (1000.0, 1);
            return new Wrk(
                double.Parse(Last(lines.First(line => line.StartsWith("Requests/sec:", StringComparison.Ordinal))), CultureInfo.InvariantCulture),
                double.Parse(latency[..^unit], CultureInfo.InvariantCulture) * factor);
        }

        private static string Last(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1];
    }
}
