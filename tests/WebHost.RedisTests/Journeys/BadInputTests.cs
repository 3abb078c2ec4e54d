using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Maintenance.Storage.Redis;
using Maintenance.Storage.UserData;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.RedisTests.Journeys;

/// <summary>Whatever is sent, the answer is 4xx with a reason, never 5xx.</summary>
[Collection(HostGroup.Name)]
public sealed class BadInputTests(HostFixture fixture)
{
    private const string Login = "/api/auth/login";

    private readonly AuthClient client = fixture.Client;

    public static TheoryData<string, int> Bodies => new()
    {
        { "", 400 },
        { "{", 400 },
        { "null", 400 },
        { "[]", 400 },
        { "\"text\"", 400 },
        { "{}", 400 },
        { """{"email":5,"password":"x"}""", 400 },
        { """{"email":null,"password":"x"}""", 400 },
        { """{"email":"a@example.com","email":"b@example.com","password":"x"}""", 400 },
        { """{"email":"a@example.com","password":{"a":1}}""", 400 },
        { """{"email":"a@example.com\u0000","password":"x"}""", 400 },
        { """{"email":"a@example.com","password":"x","device":"\ud800"}""", 400 },
        { """{"email":"a@example.com","password":"x","device":"\u0007"}""", 400 },
        { new string('[', 1000), 400 },
        { "{\"email\":\"" + new string('a', 300) + "@example.com\",\"password\":\"x\"}", 400 },
        { "{\"email\":\"a@example.com\",\"password\":\"" + new string('x', 300) + "\"}", 400 },
        { "{\"email\":\"" + new string('a', 70_000) + "\"}", 413 },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Body_ThatCannotBeAccepted_IsRefusedWithAReason(string body, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Login) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        // The host refuses it unread, and a connection that it has closed may break under the rest.
        request.Headers.ExpectContinue = status == 413;
        await ExpectAsync(request, status);
    }

    [Fact]
    public async Task InvalidUtf8_AndAnotherContentType_AreRefused()
    {
        using var broken = new HttpRequestMessage(HttpMethod.Post, Login)
        {
            Content = new ByteArrayContent([.. "{\"email\":\""u8, 0xc3, 0x28, 0xff, .. "\",\"password\":\"x\"}"u8]) { Headers = { { "Content-Type", "application/json" } } },
        };
        await ExpectAsync(broken, 400);
        using var form = new HttpRequestMessage(HttpMethod.Post, Login) { Content = new FormUrlEncodedContent([new("email", "a@example.com")]) };
        await ExpectAsync(form, 415);
    }

    [Fact]
    public async Task ChunkedBody_ThatIsTooLong_IsRefused()
    {
        // Again when the connection breaks: the host closes it as soon as it has read too much, and the rest may be on its way still.
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Login)
            {
                Content = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes("{\"email\":\"" + new string('a', 100_000) + "\"}"))) { Headers = { { "Content-Type", "application/json" } } },
            };
            request.Headers.TransferEncodingChunked = true;
            try
            {
                await ExpectAsync(request, 413);
                return;
            }
            catch (HttpRequestException exception) when (exception.InnerException is IOException && attempt < 10)
            {
                // See above.
            }
        }
    }

    [Theory]
    [InlineData("GET", "/api/auth/login", 405)]
    [InlineData("GET", "/api/auth/nothing", 404)]
    [InlineData("POST", "/api/auth/logout-all?keepCurrent=perhaps", 401)]
    [InlineData("TRACE", "/api/auth/verify", 405)]
    public async Task Request_ThatFitsNoEndpoint_IsRefused(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        await ExpectAsync(request, status);
    }

    [Fact]
    public async Task QueryValue_OfTheWrongType_IsRefused()
    {
        var tokens = await client.LoginAsync(await client.RegisterAsync());
        (await client.PostAsync("/api/auth/logout-all?keepCurrent=perhaps", token: tokens.Session)).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("Authorization: Bearer \r\n", 401)]
    [InlineData("Authorization: Bearer ....\r\n", 401)]
    [InlineData("Authorization: Basic dXNlcjpwYXNz\r\n", 401)]
    [InlineData("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", 401)]
    [InlineData("Cookie: __Host-session=%ff%fe; ;;=;\r\n", 401)]
    [InlineData("Cookie: __Host-session=\u00e9\u00ff\r\n", 400)]
    [InlineData("X-Forwarded-For: not-an-address, 1.2.3.4\r\n", 401)]
    [InlineData("Accept: text/html\r\n", 401)]
    [InlineData("Host: evil.example\r\n", 400)]
    [InlineData("Content-Length: -5\r\n", 400)]
    public async Task AbsurdHeaders_AreRefused(string headers, int status) =>
        (await RawAsync($"POST /api/auth/verify HTTP/1.1\r\nHost: localhost\r\n{headers}Connection: close\r\n{(headers.Contains("Content-Length", StringComparison.Ordinal) ? "" : "Content-Length: 0\r\n")}\r\n"))
            .ShouldStartWith($"HTTP/1.1 {status} ");

    [Fact]
    public async Task HugeCookies_AreRefused() =>
        (await RawAsync($"GET /api/auth/verify HTTP/1.1\r\nHost: localhost\r\nCookie: a={new string('x', 40_000)}\r\nConnection: close\r\n\r\n")).ShouldStartWith("HTTP/1.1 431 ");

    public static TheoryData<string, string> NotHttp => new()
    {
        { "nonsense\r\n\r\n", "400 Bad Request" },
        { "GET /api/auth/verify HTTP/1.1\r\n\r\n", "400 Bad Request" },
        { "GET /api/auth/verify HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 Bad Request" },
        { "GET /api/auth/verify HTTP/9.9\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported" },
        { "POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400 Bad Request" },
        { $"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: a\r\n\r\n", "414 URI Too Long" },
        { $"GET / HTTP/1.1\r\nHost: a\r\nX: {new string('a', 20_000)}\r\n\r\n", "431 Request Header Fields Too Large" },
        { $"GET / HTTP/1.1\r\nHost: a\r\n{string.Concat(Enumerable.Repeat("X: a\r\n", 150))}\r\n", "431 Request Header Fields Too Large" },
    };

    /// <summary>Before there is a request there is no pipeline that could write a body: the server answers by itself, says no more than the status, and closes.</summary>
    [Theory]
    [MemberData(nameof(NotHttp))]
    public async Task WhatIsNoRequest_IsRefusedByTheServerItself_WithoutABody_AndTheConnectionCloses(string sent, string status)
    {
        // To the end: it comes only when the server closes.
        var answer = await RawAsync(sent);

        answer.ShouldStartWith($"HTTP/1.1 {status}\r\n");
        answer.ShouldContain("Connection: close\r\n");
        answer.ShouldContain("Content-Length: 0\r\n");
        answer.ShouldNotContain("Server:");
        answer.ShouldEndWith("\r\n\r\n");
    }

    [Fact]
    public async Task EveryAnswer_HasTheSecurityHeaders()
    {
        foreach (var reply in (Reply[])[await client.GetAsync("/api/auth/verify"), await client.GetAsync("/nothing"), await client.PostAsync(Login, new { })])
        {
            CheckHeaders(reply);
        }
    }

    [Fact]
    public async Task Answer_ThatSomethingWentWrong_HasThemToo()
    {
        await using var host = await HostInstance.StartAsync(fixture.Settings, services => services.AddSingleton<IUserDataSource, FailingSource>());
        var own = new AuthClient(host.Api);
        var token = (await own.LoginAsync(await own.RegisterAsync())).Session;
        foreach (var (status, failure) in new Dictionary<HttpStatusCode, Exception>
        {
            [HttpStatusCode.InternalServerError] = new NotSupportedException("secret text"),
            [HttpStatusCode.ServiceUnavailable] = new StorageUnavailableException(UnavailableReason.Deadline, "secret text"),
        })
        {
            FailingSource.Failure = failure;
            var reply = await own.GetAsync("/api/auth/account/export", token);

            reply.Status.ShouldBe(status);
            reply.Text.ShouldNotContain("secret");
            CheckHeaders(reply);
        }
    }

    [Fact]
    public async Task WrongSetting_ThatComesWhileTheHostRuns_IsNotTaken_AndNobodyNoticesButTheLog()
    {
        await using var host = await HostInstance.StartAsync(fixture.Settings);
        var own = new AuthClient(host.Api);
        var email = await own.RegisterAsync();
        await own.LoginAsync(email);
        var configuration = (IConfigurationRoot)host.Services.GetRequiredService<IConfiguration>();

        configuration["Captcha:AfterFailures"] = "99999";
        configuration["StepUp:MaxAge"] = "soon";
        configuration.Reload();

        await own.LoginAsync(email);
        (await own.GetAsync("/api/auth/account/export", (await own.LoginAsync(email)).Session)).Status.ShouldBe(HttpStatusCode.OK);
        host.Logs.WithEvent(1005).Select(line => line.Message).ShouldContain(line => line.Contains("StepUp:MaxAge", StringComparison.Ordinal));
    }

    [Fact]
    public async Task EachPort_HasItsOwnEndpoints_WhateverTheHostHeaderSays()
    {
        (await client.GetAsync("/metrics")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetAsync("/healthz/ready")).Status.ShouldBe(HttpStatusCode.NotFound);
        (await fixture.Host.Management.GetAsync(new Uri("/metrics", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await fixture.Host.Management.GetAsync(new Uri("/api/auth/verify", UriKind.Relative))).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await RawAsync($"GET /metrics HTTP/1.1\r\nHost: localhost:{fixture.Host.Management.BaseAddress!.Port}\r\nConnection: close\r\n\r\n")).ShouldStartWith("HTTP/1.1 404 ");
    }

    private static void CheckHeaders(Reply reply)
    {
        reply.Headers["X-Content-Type-Options"].ShouldBe("nosniff");
        reply.Headers["X-Frame-Options"].ShouldBe("DENY");
        reply.Headers["Content-Security-Policy"].ShouldContain("default-src 'none'");
        reply.Headers["Cache-Control"].ShouldContain("no-store");
        reply.Headers["Referrer-Policy"].ShouldBe("no-referrer");
        reply.Headers.ShouldNotContainKey("Server");
    }

    private sealed class FailingSource : IUserDataSource
    {
        public static Exception Failure { get; set; } = new NotSupportedException();

        public string Name => "failing";

        public Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken) => throw Failure;

        public Task<long> EraseAsync(string userId, CancellationToken cancellationToken) => Task.FromResult(0L);
    }

    private async Task ExpectAsync(HttpRequestMessage request, int status)
    {
        var reply = await client.SendAsync(request);
        ((int)reply.Status).ShouldBe(status, reply.Text);
        reply.Headers["Content-Type"].ShouldStartWith("application/problem+json");
        reply.Json.GetProperty("status").GetInt32().ShouldBe(status);
        reply.Json.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        reply.Code.ShouldNotBeNullOrEmpty();
    }

    private async Task<string> RawAsync(string text)
    {
        var address = fixture.Host.Api.BaseAddress!;
        using var connection = new TcpClient();
        await connection.ConnectAsync(address.Host, address.Port);
        var stream = connection.GetStream();
        using var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text));
            await stream.CopyToAsync(answer).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (IOException)
        {
            // Reset: it closed before it had read all that was sent. What it said is here all the same.
            await ReadRestAsync(stream, answer);
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }

    // After a write that failed there may be an answer to read.
    private static async Task ReadRestAsync(NetworkStream stream, MemoryStream answer)
    {
        try
        {
            await stream.CopyToAsync(answer).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (IOException)
        {
            // The end.
        }
    }
}
