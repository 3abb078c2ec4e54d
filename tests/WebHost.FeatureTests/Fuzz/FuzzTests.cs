using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Maintenance.Storage.Sessions;
using Maintenance.WebHost.FeatureTests.OpenApi;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.TwoFactor;
using Maintenance.WebHost.Users;
using Xunit.Abstractions;

namespace Maintenance.WebHost.FeatureTests.Fuzz;

/// <summary>Twenty thousand requests (<c>FUZZ_REQUESTS</c> for another number, <c>FUZZ_SEED</c> to repeat) made from the OpenAPI document.</summary>
[Collection(FeatureCollection.Name)]
public sealed class FuzzTests(FeatureHost host, ITestOutputHelper output)
{
    private const int Workers = 8;
    private const int RawShare = 20;

    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.Latin1 })
    {
        Timeout = TimeSpan.FromMinutes(2),
    };

    private readonly IssuedSecrets issued = new();
    private readonly ConcurrentQueue<string> failures = new();
    private readonly ConcurrentDictionary<int, int> statuses = new();
    private readonly ConcurrentDictionary<string, int> reached = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TimeSpan> spent = new(StringComparer.Ordinal);

    [Fact]
    public async Task Requests_GetNo5xx_NoUndocumentedAnswer_AndNoSecretIntoAnAnswerOrALog()
    {
        var count = Setting("FUZZ_REQUESTS", 20_000);
        var seed = Setting("FUZZ_SEED", 4711);
        var operations = ApiOperation.ReadAll((await host.Client().GetAsync("/openapi/v1.json")).Json);
        var users = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => host.AccountAsync(roles: i < 2 ? [Roles.Admin] : [])));
        var stored = (await host.FindAsync(users[0]))!;
        var secrets = new List<string>
        {
            RequestFuzzer.Marker, stored.PasswordHash!, FeatureHost.Password, FeatureHost.RedisPassword, host.Provider.ClientSecret, host.Database.ConnectionString,
            new Npgsql.NpgsqlConnectionStringBuilder(host.Database.ConnectionString).Password!,
        };
        secrets.RemoveAll(string.IsNullOrEmpty);
        var ids = users.Select(user => user.Key).ToList();
        var before = host.Logs.Entries.Count;
        var started = Stopwatch.GetTimestamp();

        // Beside the requests, most of which get no secret.
        await Task.WhenAll([JourneyAsync(), .. Enumerable.Range(0, Workers).Select(worker => Task.Run(() => WorkAsync(worker)))]);

        output.WriteLine($"{count} requests in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        output.WriteLine(string.Join(", ", statuses.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}: {pair.Value}")));
        output.WriteLine($"Most time: {string.Join(", ", spent.OrderByDescending(pair => pair.Value).Take(12).Select(pair => $"{pair.Key} {pair.Value.TotalSeconds:0.0} s"))}");
        foreach (var error in host.Logs.Entries.Skip(before).Where(entry => entry.Event.Id is 3000 or 3001).Select(entry => $"{entry.Message} {entry.Error}").Distinct().Take(5))
        {
            output.WriteLine(error);
        }

        failures.Take(20).ShouldBeEmpty();
        var log = host.Logs.Entries.Skip(before).Select(entry => $"{entry.Message} {string.Join(' ', entry.Values.Values)} {entry.Error}").ToList();
        foreach (var secret in secrets)
        {
            log.Where(line => line.Contains(secret, StringComparison.Ordinal)).Take(3).ShouldBeEmpty();
        }

        issued.FindIn(log).Take(3).ShouldBeEmpty();
        output.WriteLine($"{issued.Count} secrets that were given out, in none of {log.Count} lines: {string.Join(", ", issued.Kinds)}");
        // The cookies' values are those of the bodies.
        string[] kinds = ["challengeId", "deviceToken", "recoveryCodes", "refreshToken", "secret", "session of a worker", "sessionToken", "uri"];
        kinds.Except(issued.Kinds).ShouldBeEmpty("what was never given out was not looked for");

        // A fuzzer that everything refuses tests nothing.
        statuses.Values.Sum().ShouldBeGreaterThanOrEqualTo(count * 95 / 100);
        reached.Count.ShouldBe(operations.Count, string.Join(", ", operations.Select(o => $"{o.Method} {o.Path}").Except(reached.Keys)));
        statuses.Where(pair => pair.Key is >= 200 and < 300).Sum(pair => pair.Value).ShouldBeGreaterThan(count / 20);

        async Task WorkAsync(int worker)
        {
            var token = "";
            var fuzzer = new RequestFuzzer(seed + worker, operations, () => token, ids);
            for (var i = worker; i < count; i += Workers)
            {
                if (i / Workers % 25 == 0)
                {
                    // Earlier requests may have ended the session or shut the account.
                    var user = users[(worker + (i / Workers / 25)) % users.Length];
                    await host.Database.ExecuteAsync("UPDATE users SET disabled_at = NULL WHERE id = $1", user.Id);
                    token = await SessionAsync(user);
                    issued.Add("session of a worker", token);
                }

                try
                {
                    if (i / Workers % RawShare == 0)
                    {
                        var begun = Stopwatch.GetTimestamp();
                        var (status, said, sent) = await RawRequests.SendAsync(host.Address, i / Workers / RawShare, CancellationToken.None);
                        Spent("raw", begun);
                        Check(status ?? 0, said, sent, null, problem: false);
                    }
                    else
                    {
                        await SendAsync(fuzzer);
                    }
                }
                catch (HttpRequestException exception) when (exception.InnerException is IOException or System.Net.Sockets.SocketException)
                {
                    // The server closed the connection instead of reading the rest of a body that it had refused.
                    statuses.AddOrUpdate(0, 1, (_, n) => n + 1);
                }
            }
        }

        async Task SendAsync(RequestFuzzer fuzzer)
        {
            var (request, operation, label) = fuzzer.Next(host.Address);
            using (request)
            {
                var begun = Stopwatch.GetTimestamp();
                using var response = await Http.SendAsync(request);
                var text = $"{response.Headers} {await response.Content.ReadAsStringAsync()}";
                // Kestrel itself refuses what it cannot read, without a body.
                var problem = response.Content.Headers.ContentLength != 0 && request.Method != HttpMethod.Head;
                Spent(operation is null ? "no operation" : $"{operation.Method} {operation.Path}", begun);
                await issued.AddOfAsync(response);
                Check((int)response.StatusCode, text, label, operation, problem && (int)response.StatusCode >= 400 && response.Content.Headers.ContentType?.MediaType != "application/problem+json" && operation?.Path.Contains("health", StringComparison.Ordinal) != true);
            }
        }

        void Spent(string what, long begun) => spent.AddOrUpdate(what, Stopwatch.GetElapsedTime(begun), (_, sum) => sum + Stopwatch.GetElapsedTime(begun));

        void Check(int status, string text, string label, ApiOperation? operation, bool problem)
        {
            statuses.AddOrUpdate(status, 1, (_, n) => n + 1);
            // 505 is what a version of HTTP that does not exist gets, as RFC 9110 has it.
            if (status >= 500 && status != 505)
            {
                failures.Enqueue($"{label} answered {status}: {text}");
            }

            if (operation is not null)
            {
                reached.TryAdd($"{operation.Method} {operation.Path}", status);
                if (!operation.Statuses.Contains(status) && status is not (431 or 414))
                {
                    failures.Enqueue($"{label} answered {status}, which {operation.Method} {operation.Path} does not document: {text}");
                }
            }

            if (problem)
            {
                failures.Enqueue($"{label} answered {status} without problem details: {text}");
            }

            if (secrets.Find(secret => text.Contains(secret, StringComparison.Ordinal)) is { } leaked)
            {
                failures.Enqueue($"{label} answered {status} with the secret {leaked}: {text}");
            }
        }

        // What a log-in with everything gives out: sessions, tokens, the key of an authenticator, recovery codes.
        async Task JourneyAsync()
        {
            var owner = await host.AccountAsync();
            var client = host.Client();
            var first = await StepAsync(client, "login", new { email = owner.Email, password = FeatureHost.Password, device = "fuzz" });
            client.Cookies.Clear();
            client.Token = first.GetProperty("sessionToken").GetString();
            var key = (await StepAsync(client, "2fa/enrol", null)).GetProperty("secret").GetString()!;
            var codes = (await StepAsync(client, "2fa/confirm", new { code = Totp.Code(key, TimeProvider.System.GetUtcNow()) })).GetProperty("recoveryCodes");
            var challengeId = (await StepAsync(host.Client(), "login", new { email = owner.Email, password = FeatureHost.Password })).GetProperty("challengeId").GetString();
            var second = await StepAsync(host.Client(), "login/2fa", new { challengeId, code = codes[0].GetString() });
            await StepAsync(host.Client(), "refresh", new { refreshToken = second.GetProperty("refreshToken").GetString() });
            await StepAsync(client, "reauthenticate", new { password = FeatureHost.Password, code = Totp.Code(key, TimeProvider.System.GetUtcNow().AddSeconds(Totp.StepSeconds)) });
        }

        async Task<JsonElement> StepAsync(ApiClient client, string path, object? body)
        {
            var answer = await client.PostAsync($"/api/auth/{path}", body);
            answer.Status.ShouldBe(200, $"{path}: {answer.Text}");
            issued.AddOf(answer.Json);
            foreach (var (name, value) in answer.Cookies.Where(cookie => cookie.Key is "__Host-session" or "__Host-device"))
            {
                issued.Add(name, value);
            }

            return answer.Json;
        }

        async Task<string> SessionAsync(User user) => (await host.SessionStore.CreateAsync(
            new NewSession { UserId = user.Key, Claims = SessionIssuer.ClaimsOf(user) }, CancellationToken.None)).Token.Value;
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
