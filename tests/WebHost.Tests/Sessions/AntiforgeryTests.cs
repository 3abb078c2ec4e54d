using Maintenance.WebHost.Sessions;
using Microsoft.AspNetCore.Http;

namespace Maintenance.WebHost.Tests.Sessions;

public sealed class AntiforgeryTests
{
    private const string Session = "abcdefghijklmnop.secret";

    [Theory]
    [InlineData("GET", false, false, false, true)]
    [InlineData("POST", false, false, false, false)]
    [InlineData("DELETE", false, false, false, false)]
    [InlineData("POST", true, false, false, true)]
    [InlineData("POST", false, true, false, true)]
    [InlineData("POST", false, false, true, true)]
    public void Call_WithTheCookie_NeedsTheToken_UnlessItChangesNothingOrIsAuthenticatedOtherwise(
        string method, bool bearer, bool ignoresCookie, bool token, bool allowed)
    {
        var context = Context(method, ignoresCookie);
        if (bearer)
        {
            context.Request.Headers.Authorization = "Bearer x";
        }

        if (token)
        {
            context.Request.Headers[Antiforgery.Header] = SessionCookies.AntiforgeryTokenOf(Session);
        }

        Antiforgery.IsAllowed(context).ShouldBe(allowed);
    }

    [Theory]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("Bearer")]
    public void HeaderThatTheBearerHandlerLeavesToTheCookie_DoesNotStandInForTheToken(string header)
    {
        var context = Context("POST", ignoresCookie: false);
        context.Request.Headers.Authorization = header;

        Antiforgery.IsAllowed(context).ShouldBeFalse();
    }

    [Fact]
    public void Token_OfAnotherSession_IsNone()
    {
        var context = Context("POST", ignoresCookie: false);
        context.Request.Headers[Antiforgery.Header] = SessionCookies.AntiforgeryTokenOf("another");
        Antiforgery.IsAllowed(context).ShouldBeFalse();
        SessionCookies.IsAntiforgeryTokenOf(Session, new string('a', 10_000)).ShouldBeFalse();
    }

    [Fact]
    public void Token_TellsNothingOfTheSession() => SessionCookies.AntiforgeryTokenOf(Session).ShouldNotContain("secret");

    private static DefaultHttpContext Context(string method, bool ignoresCookie)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Headers.Cookie = $"{SessionCookieOptions.Session}={Session}";
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(ignoresCookie ? [IgnoresCookieMetadata.Instance] : []), "test"));
        return context;
    }
}
