using System.Text.RegularExpressions;
using Maintenance.Testing;
using Maintenance.WebHost.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.WebHost.RedisTests;

/// <summary>A host of this process on free ports, over real HTTP.</summary>
internal sealed partial class HostInstance : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly string mailFolder;

    private HostInstance(WebApplication app, string mailFolder, LogCollector logs)
    {
        this.app = app;
        this.mailFolder = mailFolder;
        Logs = logs;
        var urls = app.Urls.ToArray();
        // The default wait for a refusal of the body, a second, is less than a busy host may take.
        Api = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, Expect100ContinueTimeout = TimeSpan.FromSeconds(60) }) { BaseAddress = new Uri(urls[0]), Timeout = TimeSpan.FromSeconds(60) };
        Management = new HttpClient { BaseAddress = new Uri(urls[1]), Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Api { get; }

    public HttpClient Management { get; }

    public LogCollector Logs { get; }

    public IServiceProvider Services => app.Services;

    /// <summary>Starts one. Limits are wide unless a test narrows them, because all tests come from one address.</summary>
    public static async Task<HostInstance> StartAsync(Dictionary<string, string?> settings, Action<IServiceCollection>? services = null)
    {
        var mail = settings.GetValueOrDefault("Mail:Folder") ?? Directory.CreateTempSubdirectory("maintenance-mail-").FullName;
        var logs = new LogCollector();
        var all = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["environment"] = "Production",
            ["Api:Address"] = "127.0.0.1",
            ["Api:Port"] = "0",
            ["Management:Address"] = "127.0.0.1",
            ["Management:Port"] = "0",
            ["Mail:Folder"] = mail,
            ["Passwords:HashIterations"] = "100000",
            // A stall of a busy machine is no outage.
            ["Storage:Redis:Deadline"] = "00:00:10",
            ["Storage:Redis:ConnectTimeout"] = "00:00:30",
            ["Api:ShutdownTimeout"] = "00:01:00",
            ["Database:ConnectTimeout"] = "00:00:30",
            ["Database:CommandTimeout"] = "00:00:30",
            ["Passwords:HashQueueTimeout"] = "00:01:00",
        };
        foreach (var limit in (string[])["login", "register", "mail", "redeem", "refresh", "user", "sensitive", "admin", "public", "mail-account", "export", "antiforgery"])
        {
            all[$"Storage:RateLimits:{limit}:Permits"] = "10000";
        }

        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        var built = HostSetup.Build(
            [.. all.Select(setting => $"--{setting.Key}={setting.Value}")],
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(logs);
                services?.Invoke(builder.Services);
            });
        await built.StartAsync();
        return new HostInstance(built, mail, logs);
    }

    /// <summary>The token of the newest message of a kind to an address.</summary>
    public async Task<string> MailedTokenAsync(string kind, string to)
    {
        var text = await Eventually.NotNullAsync(() => Task.FromResult(MailsTo(kind, to).LastOrDefault()), TimeSpan.FromSeconds(60));
        return TokenOfLink().Match(text).Groups[1].Value;
    }

    public IEnumerable<string> MailsTo(string kind, string to) => Directory.EnumerateFiles(mailFolder, $"*-{kind}-*.eml")
        .Order(StringComparer.Ordinal)
        .Select(File.ReadAllText)
        .Where(text => text.Contains($"To: {to}\n", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        Management.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    [GeneratedRegex(@"token=([A-Za-z0-9_.-]+)")]
    private static partial Regex TokenOfLink();
}
