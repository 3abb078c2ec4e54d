using System.Text;
using System.Text.RegularExpressions;
using Maintenance.Testing;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.RedisTests.Status;

/// <summary>A worker whose Redis and PostgreSQL ask for passwords: neither is in anything that it answers or writes, when all is well and when both refuse it.</summary>
public sealed partial class SecretsTests
{
    // Characters that a URL escapes, so that both forms are looked for.
    private const string RedisPassword = "redis/secret+of@tests";
    private const string PostgresPassword = "postgres/secret+of@tests";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData("default")]
    [InlineData("worker")]
    public async Task NoAnswerOfTheWorker_HoldsAPassword_AlsoNotWhenBothServersRefuseIt(string user)
    {
        await using var postgres = await PostgresServer.StartAsync();
        await postgres.ExecuteAsync($"CREATE ROLE auth SUPERUSER LOGIN PASSWORD '{PostgresPassword}'");
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions
        {
            Password = user == "default" ? RedisPassword : "of-the-tests-connection",
            ConfigurationLines = user == "default" ? [] : [$"user {user} on >{RedisPassword} ~* &* +@all"],
        });
        var url = $"redis://{(user == "default" ? "" : user)}:{Uri.EscapeDataString(RedisPassword)}@{redis.Endpoint}";
        var archive = ("Archive__ConnectionString", $"Host=127.0.0.1;Port={postgres.Port};Database=postgres;Username=auth;Password={PostgresPassword}");
        (await WorkerProcess.VerbAsync(url, ["archive", "migrate"], archive!)).Exit.ShouldBe(0);
        await using var worker = await WorkerProcess.StartAsync(
            // A busy machine takes its time for the first connection.
            url, archive, ("Archive__Deadline", "00:01:00"), ("Jobs__RedisHealth__Schedule", "00:00:01"), ("Results__RefreshInterval", "00:00:01"));
        (await RunAsync(worker)).ShouldContain("\"outcome\":\"success\"", Case.Sensitive, worker.Process.Tail());
        var well = await AnswersAsync(worker);
        well["/"].ShouldContain("<h1", Case.Sensitive);
        well["/events"].ShouldContain("data:", Case.Sensitive);
        well.Count.ShouldBeGreaterThan(12, "and what the page asks for");
        well["/metrics"].ShouldContain("maintenance_redis_up");

        // Both change their passwords; what they say of it stands in results, reasons and logs.
        await postgres.ExecuteAsync("ALTER ROLE auth PASSWORD 'another'");
        await postgres.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'auth'");
        // A scheduled run that was under way may have been through with the archive before.
        await Eventually.SucceedsAsync(async () => (await RunAsync(worker)).ShouldContain("\"outcome\":\"failed\"", Case.Sensitive, worker.Process.Tail()), Patience);
        await redis.ExecuteAsync("ACL", "SETUSER", user, "resetpass", ">another");
        await redis.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await Eventually.TrueAsync(async () => (await TextAsync(worker, "/health")).Contains("authentication_refused", StringComparison.Ordinal), Patience);
        var refused = await AnswersAsync(worker);
        refused["/"].ShouldContain("failed", Case.Insensitive);
        refused[$"/api/jobs/{JobNames.SessionCleanup}"].ShouldContain("\"outcome\":\"failed\"");

        foreach (var (path, text) in well.Concat(refused).Append(new("the log", string.Join('\n', worker.Process.Output.Concat(worker.Process.Errors)))))
        {
            foreach (var secret in new[] { RedisPassword, PostgresPassword, WorkerProcess.Token })
            {
                text.ShouldNotContain(secret, Case.Sensitive, path);
                text.ShouldNotContain(Uri.EscapeDataString(secret), Case.Sensitive, path);
            }
        }
    }

    /// <summary>Everything that is served without a token, by path: what is named here, and what the page links to or loads.</summary>
    private static async Task<Dictionary<string, string>> AnswersAsync(WorkerProcess worker)
    {
        List<string> paths = ["/", "/sign-in", "/metrics", "/health", "/healthz/live", "/healthz/ready", "/healthz/startup", "/api/jobs", .. JobNames.All.Select(job => $"/api/jobs/{job}")];
        var page = await TextAsync(worker, "/");
        paths.AddRange(Link().Matches(page).Select(match => $"/{match.Groups["path"].Value.TrimStart('/', '.')}"));
        var answers = new Dictionary<string, string>(StringComparer.Ordinal) { ["/events"] = await FirstEventAsync(worker) };
        foreach (var path in paths.Distinct(StringComparer.Ordinal))
        {
            answers[path] = await TextAsync(worker, path);
        }

        return answers;
    }

    private static async Task<string> TextAsync(WorkerProcess worker, string path)
    {
        using var response = await worker.Http.GetAsync(path);
        return $"{response.Headers}{response.Content.Headers}{await response.Content.ReadAsStringAsync()}";
    }

    /// <summary>What the page's stream says first.</summary>
    private static async Task<string> FirstEventAsync(WorkerProcess worker)
    {
        using var response = await worker.Http.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = new StringBuilder(response.Headers.ToString());
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            text.AppendLine(line);
        }

        return text.ToString();
    }

    /// <summary>Runs the job that speaks to both servers; returns its result.</summary>
    private static async Task<string> RunAsync(WorkerProcess worker)
    {
        const string path = $"/api/jobs/{JobNames.SessionCleanup}";
        var before = (await worker.JsonAsync(path)).GetProperty("results").EnumerateArray().Select(result => result.GetProperty("run_id").GetString()).ToHashSet(StringComparer.Ordinal);
        // One that is under way is refused, and is a result too.
        (await worker.SendAsync(HttpMethod.Post, $"{path}/run")).Status.ShouldBeOneOf(202, 409);
        return await Eventually.NotNullAsync(
            async () => (await worker.JsonAsync(path)).GetProperty("results").EnumerateArray()
                .Where(result => !before.Contains(result.GetProperty("run_id").GetString()))
                .Select(result => result.GetRawText())
                .FirstOrDefault(),
            Patience);
    }

    [GeneratedRegex("(?:href|src)=\"(?<path>(?!#|https?:)[^\"]+)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();
}
