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
using Microsoft.Extensions.Logging;
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
        var app = HostSetup.Build([.. settings.Select(setting => $"--{setting}")], builder => builder.Logging.ClearProviders());
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
        var email = await RegisterAsync(client);
        var passwords = host.Services.GetRequiredService<PasswordWork>();
        User user;
        using (var scope = host.Services.CreateScope())
        {
            user = (await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByEmailAsync(email))!;
        }

        var (hash, login) = (new List<double>(), new List<double>());
        for (var i = -LogIns; i < LogIns; i++)
        {
            var hashed = await TimeAsync(() => passwords.CheckAsync(user, Password, default));
            var whole = await TimeAsync(async () => (await client.PostAsJsonAsync("/api/auth/login", new { email, password = Password })).EnsureSuccessStatusCode());
            if (i >= 0)
            {
                hash.Add(hashed);
                login.Add(whole);
            }
        }

        Console.WriteLine(Statistics.Row("password hash, ms", hash, "0.00"));
        Console.WriteLine(Statistics.Row("login over HTTP, ms", login, "0.00"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  all but the hash: {(Statistics.Median(login) / Statistics.Median(hash)) - 1:P1} of it (medians)"));
        await ExplainAsync(() => client.PostAsJsonAsync("/api/auth/login", new { email, password = Password }));
    }

    /// <summary>What a request asks of others, in its order. Traced, so by itself.</summary>
    private static async Task ExplainAsync(Func<Task<HttpResponseMessage>> send)
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
            spans.Clear();
            using var trace = new Activity("asked").Start();
            (await send()).EnsureSuccessStatusCode();
            seen.AddRange(spans.Where(span => span.TraceId == trace.TraceId).OrderBy(span => span.StartTimeUtc)
                .Select((span, place) => (place, $"{span.DisplayName}", (span.StartTimeUtc - trace.StartTimeUtc).TotalMilliseconds, span.Duration.TotalMilliseconds)));
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
