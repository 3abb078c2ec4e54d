using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.FeatureTests.Security;

/// <summary>What holds for each endpoint that the host has, so that a new one cannot be forgotten.</summary>
[Collection(FeatureCollection.Name)]
public sealed class EveryEndpointTests(FeatureHost host)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromMinutes(2) };

    // What a signed-in user changes without a recent proof, each for its reason.
    private static readonly Dictionary<string, string> NoProofNeeded = new(StringComparer.Ordinal)
    {
        ["POST /api/auth/reauthenticate"] = "is the proof",
        ["PUT /api/auth/profile/password"] = "asks for the password, and for a code, by itself",
        ["DELETE /api/auth/account"] = "asks for the password, and for a code, by itself",
        ["PUT /api/auth/profile"] = "signs nobody in",
        ["POST /api/auth/profile/avatar"] = "signs nobody in",
        ["DELETE /api/auth/profile/avatar"] = "signs nobody in",
        ["POST /api/auth/logout"] = "only ends",
        ["POST /api/auth/logout-all"] = "only ends",
        ["POST /api/auth/logout/all"] = "only ends",
        ["DELETE /api/auth/sessions"] = "only ends",
        ["DELETE /api/auth/sessions/{id}"] = "only ends",
    };

    // Bodies that pass the checks of a body, which come first.
    private static readonly Dictionary<string, object> Bodies = new(StringComparer.Ordinal) { ["POST /api/auth/2fa/confirm"] = new { code = "123456" } };

    private IEnumerable<(string Method, string Path, RouteEndpoint Endpoint)> All =>
        host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().SelectMany(endpoint =>
            (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["GET"])
            .Select(method => (method, $"/{endpoint.RoutePattern.RawText!.TrimStart('/')}".TrimEnd('/') is { Length: > 0 } path ? path : "/", endpoint)));

    [Fact]
    public async Task WhatMattersMost_NeedsARecentProof_AtEachEndpoint()
    {
        var changing = All.Where(one => one.Endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null && one.Method is not ("GET" or "HEAD")).ToList();
        var forgotten = changing
            .Where(one => !IsProved(one.Endpoint))
            .Select(one => $"{one.Method} {one.Path}")
            .Where(one => !NoProofNeeded.ContainsKey(one));
        forgotten.ShouldBeEmpty("either it needs a recent proof, or the list above says why not");

        // The pages, which lead to where it is proved, have tests of their own.
        var proved = All.Where(one => IsProved(one.Endpoint) && one.Path.StartsWith("/api/", StringComparison.Ordinal)).ToList();
        proved.Count.ShouldBeGreaterThan(12);
        // A session that a refresh token made: its owner was not there.
        var client = await host.RefreshedAsync(await host.AccountAsync(roles: [Roles.Admin]));
        foreach (var (method, path, _) in proved)
        {
            var answer = await client.SendAsync(new HttpMethod(method), Filled(path), method == "GET" ? null : JsonContent.Create(Bodies.GetValueOrDefault($"{method} {path}") ?? new { }));

            (answer.Status, answer.Code).ShouldBe((403, RecentAuthentication.Code), $"{method} {path}: {answer.Text}");
        }
    }

    [Fact]
    public void Everything_ButTheOperatorsProbes_HasALimit() => All
        .Where(one => one.Endpoint.Metadata.GetMetadata<EnableRateLimitingAttribute>() is null)
        .Select(one => one.Path)
        .ShouldBe(["/metrics", "/healthz/live", "/healthz/startup", "/healthz/ready", "/health"], ignoreOrder: true);

    [Fact]
    public async Task SignInPage_IsLimited_OnThisHostAlone()
    {
        // From an address of its own: the other tests' pages are not to be refused for it.
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectCallback = ConnectFromElsewhereAsync };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromMinutes(2) };
        var answers = new List<HttpResponseMessage>();
        // More at once than a second's permits, and than come back meanwhile.
        var page = new Uri(ManagementAddress, "/admin/sign-in");
        while (answers.TrueForAll(answer => answer.IsSuccessStatusCode) && answers.Count < 5_000)
        {
            answers.AddRange(await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => http.GetAsync(page))));
        }

        var refused = answers.Find(answer => !answer.IsSuccessStatusCode).ShouldNotBeNull();
        ((int)refused.StatusCode).ShouldBe(429);
        refused.Headers.GetValues("RateLimit-Limit").Single().ShouldBe("50");
        refused.Headers.RetryAfter.ShouldNotBeNull();
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        answers.ForEach(answer => answer.Dispose());
    }

    [Fact]
    public async Task EveryAnswer_OfEveryEndpoint_HasTheSecurityHeaders()
    {
        var admin = await host.SignedInAsync(await host.AccountAsync(roles: [Roles.Admin]));
        var seen = new List<int>();
        foreach (var (method, path, endpoint) in All)
        {
            foreach (var token in (string?[])[null, admin.Token])
            {
                if (token is not null && method != "GET")
                {
                    // Would end the session, or more.
                    continue;
                }

                var management = endpoint.Metadata.GetMetadata<ListenerMetadata>()?.Listener == Listener.Management;
                using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(management ? ManagementAddress : host.Address, Filled(path)));
                request.Content = method is "GET" or "HEAD" ? null : JsonContent.Create(new { });
                if (token is not null)
                {
                    // A page takes the cookie only.
                    request.Headers.Add("Cookie", $"{SessionCookieOptions.Session}={token}");
                }

                using var response = await Http.SendAsync(request);

                CheckHeaders(response, $"{method} {path} answered {(int)response.StatusCode}");
                seen.Add((int)response.StatusCode);
            }
        }

        seen.Distinct().ShouldBeSubsetOf([200, 201, 202, 204, 302, 303, 400, 401, 403, 404, 409, 415, 503]);
        foreach (var status in (int[])[200, 303, 400, 401, 404])
        {
            seen.ShouldContain(status);
        }
    }

    private Uri ManagementAddress => new($"http://127.0.0.1:{host.Settings["Management:Port"]}");

    private static bool IsProved(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<RecentAuthenticationMetadata>() is not null;

    // Any value does: what there is none of is 404 or 400, after the checks that come first.
    private static string Filled(string path) => string.Join('/', path.Split('/').Select(part => part switch
    {
        "{provider}" => "acme",
        "{documentName}.json" => "v1.json",
        _ when part.StartsWith('{') => Guid.NewGuid().ToString("N"),
        _ => part,
    }));

    private static async ValueTask<Stream> ConnectFromElsewhereAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void CheckHeaders(HttpResponseMessage response, string which)
    {
        string Value(string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";
        Value("X-Content-Type-Options").ShouldBe("nosniff", which);
        Value("X-Frame-Options").ShouldBe("DENY", which);
        Value("Content-Security-Policy").ShouldContain("default-src 'none'", customMessage: which);
        Value("Content-Security-Policy").ShouldContain("frame-ancestors 'none'", customMessage: which);
        Value("Content-Security-Policy").ShouldNotContain("unsafe", customMessage: which);
        Value("Referrer-Policy").ShouldBe("no-referrer", which);
        Value("Cross-Origin-Resource-Policy").ShouldBe("same-origin", which);
        response.Headers.Contains("Server").ShouldBeFalse(which);
        response.Headers.Contains("Strict-Transport-Security").ShouldBeFalse("in clear it would be a lie");
        // Assets have their version in the name; everything else is somebody's.
        var keeps = response.Headers.CacheControl is not { NoStore: true };
        (!keeps || response.Content.Headers.ContentType?.MediaType is "text/css" or "text/javascript" or "image/svg+xml").ShouldBeTrue(which);
    }
}
