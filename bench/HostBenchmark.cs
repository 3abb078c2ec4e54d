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
internal static partial class HostBenchmark
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
}
