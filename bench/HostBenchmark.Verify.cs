using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;

namespace Maintenance.Bench;

/// <content><c>verify</c> against an endpoint that does nothing, by wrk.</content>
internal static partial class HostBenchmark
{
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
