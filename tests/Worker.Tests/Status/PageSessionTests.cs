using Maintenance.Testing;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Status.Page;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Status;

public sealed class PageSessionTests
{
    private const string Token = "a-token-of-the-test";

    private readonly ManualTimeProvider time = new();
    private readonly LogCollector logs = new();
    private readonly Settings settings = new(new ManagementOptions { Token = Token });

    [Fact]
    public void Cookie_SignsIn_OnEveryReplicaWithTheToken()
    {
        var cookie = SignIn(Token).ShouldNotBeNull();

        Sessions().Read(Request(cookie)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("another-token-than-it")]
    public void WrongToken_SetsNoCookie(string token) => SignIn(token).ShouldBeNull();

    [Fact]
    public void Cookie_EndsAtItsTime()
    {
        var cookie = SignIn(Token)!;

        time.Advance(settings.CurrentValue.SignInLife - TimeSpan.FromSeconds(2));
        Sessions().Read(Request(cookie)).ShouldNotBeNull();
        time.Advance(TimeSpan.FromSeconds(3));
        Sessions().Read(Request(cookie)).ShouldBeNull();
    }

    [Fact]
    public void Cookie_Ends_WhenTheTokenIsChanged()
    {
        var cookie = SignIn(Token)!;

        settings.CurrentValue.Token = "another-token-than-it";
        Sessions().Read(Request(cookie)).ShouldBeNull();
        settings.CurrentValue.Token = null;
        Sessions().Read(Request(cookie)).ShouldBeNull();
    }

    [Fact]
    public void Cookie_IsRefused_WithAnyCharacterChanged()
    {
        var cookie = SignIn(Token)!;

        // The last character holds bits that say nothing.
        for (var i = 0; i < cookie.Length - 1; i++)
        {
            var changed = cookie[..i] + (cookie[i] == 'A' ? 'B' : 'A') + cookie[(i + 1)..];
            Sessions().Read(Request(changed)).ShouldBeNull();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64 !")]
    [InlineData("AAAA")]
    public void Cookie_IsRefused_WhenItIsNone(string cookie) => Sessions().Read(Request(cookie)).ShouldBeNull();

    [Fact]
    public void Form_OfAnotherSession_IsRefused()
    {
        var sessions = Sessions();
        var one = sessions.Read(Request(SignIn(Token)!))!;
        var other = sessions.Read(Request(SignIn(Token)!))!;

        sessions.IsOwn(one, one.FormToken).ShouldBeTrue();
        sessions.IsOwn(one, other.FormToken).ShouldBeFalse();
        sessions.IsOwn(one, "").ShouldBeFalse();
        sessions.IsOwn(one, null).ShouldBeFalse();
    }

    private static HttpRequest Request(string cookie)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Cookie = $"{PageSession.Cookie}={cookie}";
        return context.Request;
    }

    private PageSession Sessions() => new(new ManagementToken(settings, new TokenGuesses(time, logs.For<TokenGuesses>())), settings, time);

    private string? SignIn(string token)
    {
        var context = new DefaultHttpContext();
        return Sessions().SignIn(context, token) == TokenAnswer.Right ? context.Response.Headers.SetCookie.ToString().Split(';')[0].Split('=', 2)[1] : null;
    }

    private sealed class Settings(ManagementOptions value) : IOptionsMonitor<ManagementOptions>
    {
        public ManagementOptions CurrentValue => value;

        public ManagementOptions Get(string? name) => value;

        public IDisposable? OnChange(Action<ManagementOptions, string?> listener) => null;
    }
}
