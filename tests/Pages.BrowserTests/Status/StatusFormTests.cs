using System.Net;
using System.Text.RegularExpressions;
using Maintenance.Testing;
using Maintenance.Worker.RedisTests;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Pages.BrowserTests.Status;

/// <summary>The page's forms and headers without a browser: what a browser would never send.</summary>
public sealed partial class StatusFormTests(StatusFormTests.Serving serving) : IClassFixture<StatusFormTests.Serving>
{
    private readonly WorkerProcess worker = serving.Worker;

    [Fact]
    public async Task Page_HasStrictHeaders_AndNothingInline()
    {
        using var response = await worker.Http.GetAsync("/");
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("default-src 'none'");
        policy.ShouldNotContain("unsafe");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        response.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldNotContain(" style=");
        html.ShouldNotContain("<style");
        html.ShouldNotContain("http://");
        Inline().IsMatch(html).ShouldBeFalse();
        foreach (var asset in Asset().Matches(html).Select(match => match.Value))
        {
            using var loaded = await worker.Http.GetAsync($"/{asset}");
            loaded.StatusCode.ShouldBe(HttpStatusCode.OK);
            loaded.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromDays(365));
        }

        Asset().Count(html).ShouldBe(3);
    }

    [Theory]
    [InlineData("no cookie")]
    [InlineData("no form token")]
    [InlineData("wrong form token")]
    [InlineData("another site")]
    [InlineData("another origin")]
    [InlineData("changed cookie")]
    public async Task Run_DoesNotBegin_ByAFormThatIsNotOurs(string fault)
    {
        var (cookie, form) = await SignInAsync();
        (await RunAsync(cookie, form, fault)).ShouldNotContain("notice=begun");
    }

    [Fact]
    public async Task Streams_AreLimited_AndWhoeverGoesGivesAPlaceBack()
    {
        var open = new List<HttpResponseMessage>();
        try
        {
            for (var i = 0; i < 64; i++)
            {
                open.Add(await StreamAsync());
                open[^1].StatusCode.ShouldBe(HttpStatusCode.OK, $"{i}");
            }

            using (var refused = await StreamAsync())
            {
                refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            }

            open[0].Dispose();
            await Eventually.TrueAsync(
                async () =>
                {
                    open.Add(await StreamAsync());
                    return open[^1].IsSuccessStatusCode;
                },
                TimeSpan.FromSeconds(60));
        }
        finally
        {
            open.ForEach(response => response.Dispose());
        }
    }

    private Task<HttpResponseMessage> StreamAsync() => worker.Http.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead);

    [Fact]
    public async Task Run_Begins_ByOurForm()
    {
        var (cookie, form) = await SignInAsync();
        await Eventually.TrueAsync(async () => (await RunAsync(cookie, form, "nothing")).Contains("notice=begun", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Notice_OfAnAddress_IsNeverShownAsText()
    {
        var html = await worker.Http.GetStringAsync("/?notice=%3Cb%3Ehello&job=%3Cb%3Ehello");
        html.ShouldNotContain("hello");
    }

    [Fact]
    public async Task Cookie_IsSecure_BehindAProxyThatEndsTls()
    {
        (await SetCookieAsync("https")).ShouldContain("secure");
        (await SetCookieAsync(null)).ShouldNotContain("secure");
    }

    [Fact]
    public async Task Shutdown_DoesNotWaitForAnOpenStream()
    {
        // The quickest of a few: one that waited would take the whole of the host's 8 s each time, and a busy machine holds up one or two.
        var quickest = TimeSpan.MaxValue;
        for (var i = 0; i < 3 && quickest >= TimeSpan.FromSeconds(8); i++)
        {
            await using var own = await WorkerProcess.StartAsync(serving.Url);
            using var stream = new StreamReader(await own.Http.GetStreamAsync("/events").WaitAsync(TimeSpan.FromSeconds(60)));
            (await stream.ReadLineAsync())!.ShouldStartWith("event: status");
            var took = await own.TerminateAsync();
            own.Process.ExitCode.ShouldBe(0);
            quickest = took < quickest ? took : quickest;
        }

        quickest.ShouldBeLessThan(TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task StatusPage_CanBeTurnedOff()
    {
        await using var own = await WorkerProcess.StartAsync(serving.Url, ("Management__StatusPage", "false"));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = own.Http.BaseAddress };
        using var response = await client.GetAsync("/");
        response.Headers.Location!.ToString().ShouldBe("/health");
        (await own.StatusAsync("/events")).ShouldBe(404);
    }

    private async Task<string> RunAsync(string cookie, string form, string fault)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/run")
        {
            Content = new FormUrlEncodedContent(
            [
                new("job", JobNames.RedisHealth),
                .. fault == "no form token" ? Array.Empty<KeyValuePair<string, string>>() : [new("form", fault == "wrong form token" ? Changed(form) : form)],
            ]),
        };
        if (fault != "no cookie")
        {
            request.Headers.Add("Cookie", fault == "changed cookie" ? Changed(cookie) : cookie);
        }

        if (fault == "another site")
        {
            request.Headers.Add("Sec-Fetch-Site", "cross-site");
        }

        if (fault == "another origin")
        {
            request.Headers.Add("Origin", "https://evil.example");
        }

        using var response = await serving.Client.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        return response.Headers.Location!.ToString();
    }

    // Another one, whatever it ends in.
    private static string Changed(string text) => text[..^2] + (text.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA");

    private async Task<(string Cookie, string Form)> SignInAsync()
    {
        var cookie = (await SetCookieAsync(null)).Split(';')[0];
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Cookie", cookie);
        using var response = await serving.Client.SendAsync(request);
        return (cookie, FormValue().Match(await response.Content.ReadAsStringAsync()).Groups[1].Value);
    }

    private async Task<string> SetCookieAsync(string? scheme)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sign-in") { Content = new FormUrlEncodedContent([new("token", WorkerProcess.Token)]) };
        if (scheme is not null)
        {
            request.Headers.Add("X-Forwarded-Proto", scheme);
        }

        using var response = await serving.Client.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        return response.Headers.GetValues("Set-Cookie").Single();
    }

    [GeneratedRegex("<script(?![^>]* src=)| on[a-z]+=")]
    private static partial Regex Inline();

    [GeneratedRegex("assets/[^\"]+")]
    private static partial Regex Asset();

    [GeneratedRegex("name=\"form\" value=\"([^\"]+)\"")]
    private static partial Regex FormValue();

    public sealed class Serving : IAsyncLifetime
    {
        private RedisServer? server;

        internal WorkerProcess Worker { get; private set; } = null!;

        internal HttpClient Client { get; private set; } = null!;

        public string Url => server!.Url;

        public async Task InitializeAsync()
        {
            server = await RedisServer.StartAsync();
            Worker = await WorkerProcess.StartAsync(server.Url);
            Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Worker.Http.BaseAddress };
        }

        public async Task DisposeAsync()
        {
            Client.Dispose();
            await Worker.DisposeAsync();
            await server!.DisposeAsync();
        }
    }
}
