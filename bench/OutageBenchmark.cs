using System.Diagnostics;
using Maintenance.Storage;
using Maintenance.Storage.Outage;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.Bench;

/// <summary>
/// What a validation costs while Redis is stopped (SIGSTOP: connections stay open and nothing answers) and while it is dead, once the breaker is open, for both
/// policies; the longest wait before; and how soon Redis is used again. Beside it the ceiling: a validation that Redis answers, in the same run.
/// </summary>
internal static class OutageBenchmark
{
    private const int Calls = 20_000;
    private const int Runs = 5;

    public static async Task RunAsync(string[] arguments)
    {
        _ = arguments;
        foreach (var policy in (string[])["Deny", "Memory"])
        {
            await RunAsync(policy);
        }
    }

    private static async Task RunAsync(string policy)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true });
        var services = new ServiceCollection().AddLogging();
        services.AddAuthStorage(new ConfigurationBuilder().AddInMemoryCollection(
        [
            KeyValuePair.Create("Storage:Redis:Url", (string?)server.Url),
            KeyValuePair.Create("Storage:Outage:Sessions", (string?)policy),
        ]).Build());
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<RedisConnection>().ConnectAsync(default);
        var (sessions, mode) = (provider.GetRequiredService<ISessionStore>(), provider.GetRequiredService<StorageSwitch>());
        // A busy machine may miss the deadline of the very first call, which loads the script.
        string? token = null;
        while (token is null)
        {
            try
            {
                token = (await provider.GetRequiredService<RedisSessionStore>().CreateAsync(new NewSession { UserId = "ada" }, default)).Token.Value;
            }
            catch (StorageUnavailableException)
            {
                await BackAsync(mode);
            }
        }


        var answered = await MediansAsync(sessions, token);
        var (before, back, stopped, dead) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var run = 0; run < Effort.Runs(Runs); run++)
        {
            await server.PauseAsync();
            var longest = 0.0;
            while (!mode.IsRedisAway)
            {
                longest = Math.Max(longest, (await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => TimeAsync(sessions, token)))).Max());
            }

            before.Add(longest);
            stopped.Add(await MedianAsync(sessions, token));
            await server.ResumeAsync();
            back.Add(await BackAsync(mode));
            await server.KillAsync();
            while (!mode.IsRedisAway)
            {
                await TimeAsync(sessions, token);
            }

            dead.Add(await MedianAsync(sessions, token));
            await server.RestartAsync();
            await BackAsync(mode);
        }

        Console.WriteLine($"  policy {policy}");
        Console.WriteLine(Statistics.Row("Redis answers, ms", answered, "0.0000"));
        Console.WriteLine(Statistics.Row("stopped, breaker open, ms", stopped, "0.0000"));
        Console.WriteLine(Statistics.Row("dead, breaker open, ms", dead, "0.0000"));
        Console.WriteLine(Statistics.Row("longest of 64 at once before, ms", before, "0.0"));
        Console.WriteLine(Statistics.Row("used again after, ms", back, "0"));
    }

    private static async Task<List<double>> MediansAsync(ISessionStore sessions, string token)
    {
        var medians = new List<double>();
        for (var run = 0; run < Effort.Runs(Runs); run++)
        {
            medians.Add(await MedianAsync(sessions, token));
        }

        return medians;
    }

    private static async Task<double> MedianAsync(ISessionStore sessions, string token)
    {
        var times = new double[Calls];
        for (var i = 0; i < Calls; i++)
        {
            times[i] = await TimeAsync(sessions, token);
        }

        Array.Sort(times);
        return times[Calls / 2];
    }

    private static async Task<double> BackAsync(StorageSwitch mode)
    {
        var started = Stopwatch.GetTimestamp();
        while (mode.IsRedisAway)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<double> TimeAsync(ISessionStore sessions, string token)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await sessions.ValidateAsync(token, default);
        }
        catch (StorageUnavailableException)
        {
            // Denied, and that is the answer whose time is taken.
        }

        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }
}
