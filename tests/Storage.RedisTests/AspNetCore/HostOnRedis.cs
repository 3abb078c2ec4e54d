using Maintenance.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.Storage.RedisTests.AspNetCore;

/// <summary>A real Kestrel host with auth storage on a real Redis, under keys of its own.</summary>
internal sealed class HostOnRedis : IAsyncDisposable
{
    private readonly WebApplication running;

    private HostOnRedis(WebApplication app, LogCollector log, string prefix)
    {
        running = app;
        Log = log;
        Prefix = prefix;
        Http = Browser();
    }

    public LogCollector Log { get; }

    public string Prefix { get; }

    public HttpClient Http { get; }

    public static async Task<HostOnRedis> StartAsync(
        RedisServer redis, Action<IServiceCollection> services, Action<WebApplication> endpoints, string? prefix = null, string deadline = "00:00:30")
    {
        prefix ??= $"{Guid.NewGuid():N}:";
        var log = new LogCollector();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(
        [
            KeyValuePair.Create("Storage:Redis:Url", (string?)redis.Url),
            KeyValuePair.Create("Storage:Redis:KeyPrefix", (string?)prefix),
            KeyValuePair.Create("Storage:Redis:Deadline", (string?)deadline),
            KeyValuePair.Create("Storage:Redis:ConnectTimeout", (string?)"00:00:30"),
        ]);
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthStorage(builder.Configuration);
        services(builder.Services);
        var app = builder.Build();
        endpoints(app);
        await app.StartAsync();
        return new HostOnRedis(app, log, prefix);
    }

    public T Get<T>()
        where T : notnull => running.Services.GetRequiredService<T>();

    /// <summary>A client that keeps no cookies and follows no redirect.</summary>
    public HttpClient Browser() =>
        new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false, CheckCertificateRevocationList = true }) { BaseAddress = new Uri(running.Urls.First()) };

    public async Task<HttpResponseMessage> SendAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await running.StopAsync();
        await running.DisposeAsync();
        Log.Dispose();
    }
}
