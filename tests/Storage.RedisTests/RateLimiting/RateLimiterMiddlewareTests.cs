using System.Net;
using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.RateLimiting.AspNetCore;
using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.RedisTests.RateLimiting;

public sealed class RateLimiterMiddlewareTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    [Fact]
    public async Task Middleware_AnswersTooManyRequestsWithHeaders_WhenTheStoreDenies()
    {
        await using var side = new RedisSide(redis);
        var options = new FixedOptions<RateLimitOptions>(new RateLimitOptions
        {
            Policies = { ["login"] = new RateLimitPolicy { Permits = 3, Period = TimeSpan.FromHours(1) } },
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IRateLimitStore>(new RedisRateLimitStore(side.Connection, side.Keys, options));
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.AddPolicy("login", http => RateLimitPartitions.ByAddress(http, "login"));
            limiter.OnRejected = (rejected, _) =>
            {
                RateLimitHeaders.Write(rejected.HttpContext.Response, rejected.Lease);
                return ValueTask.CompletedTask;
            };
        });
        await using var app = builder.Build();
        app.UseRateLimiter();
        app.MapGet("/login", () => "in").RequireRateLimiting("login");
        app.MapGet("/free", () => "free");
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 3; i++)
        {
            using var passed = await client.GetAsync(new Uri("/login", UriKind.Relative));
            statuses.Add(passed.StatusCode);
        }

        using var rejected = await client.GetAsync(new Uri("/login", UriKind.Relative));
        using var free = await client.GetAsync(new Uri("/free", UriKind.Relative));

        statuses.ShouldAllBe(status => status == HttpStatusCode.OK);
        rejected.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        rejected.Headers.RetryAfter!.Delta!.Value.ShouldBe(TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(1));
        rejected.Headers.GetValues("X-RateLimit-Limit").ShouldBe(["3"]);
        rejected.Headers.GetValues("X-RateLimit-Remaining").ShouldBe(["0"]);
        free.StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
