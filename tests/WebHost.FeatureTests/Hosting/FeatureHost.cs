using Maintenance.Storage.Sessions;
using Maintenance.Testing;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.WebHost.FeatureTests;

/// <summary>The web host on real HTTP, PostgreSQL and Redis, with a provider to sign in at. One for all tests of this project, so that they start it once.</summary>
public sealed class FeatureHost : IAsyncLifetime
{
    public const string Password = "correct-horse-battery-staple";
    public const string BreachedPassword = "a-passphrase-of-somebody-elses-leak";
    public const string RedisPassword = "s3cret-of-redis";

    private static readonly string[] Limits =
        ["login", "admin-login", "login-account", "login-device", "register", "mail", "mail-account", "redeem", "refresh", "user", "sensitive", "admin", "public", "export", "antiforgery"];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("feature-host");
    private RedisServer redis = null!;
    private WebApplication app = null!;
    private int accounts;

    /// <summary>Settings beside its own, or instead of them.</summary>
    public Dictionary<string, string?> More { get; init; } = [];

    /// <summary>A PostgreSQL of this host alone, for a test that ends it.</summary>
    public PostgresServer? Postgres { get; init; }

    public RedisServer Redis => redis;

    public OpenIdProvider Provider { get; private set; } = null!;

    public PostgresDatabase Database { get; private set; } = null!;

    public LogCollector Logs { get; } = new();

    public Uri Address { get; private set; } = null!;

    public string AvatarFolder => Path.Combine(folder.FullName, "avatars");

    public IServiceProvider Services => app.Services;

    public ISessionStore SessionStore => app.Services.GetRequiredService<ISessionStore>();

    public Dictionary<string, string?> Settings { get; private set; } = [];

    public async Task InitializeAsync()
    {
        redis = await RedisServer.StartAsync(new RedisServerOptions { Password = RedisPassword });
        Database = await MigratedDatabaseAsync(Postgres);
        Provider = await OpenIdProvider.StartAsync();
        var port = FreePort.Next();
        Address = new Uri($"http://127.0.0.1:{port}");
        Settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Api:Address"] = "127.0.0.1",
            ["Api:Port"] = $"{port}",
            ["Management:Address"] = "127.0.0.1",
            ["Management:Port"] = $"{FreePort.Next()}",
            ["Database:ConnectionString"] = Database.ConnectionString,
            // Other programs of the machine take the processor for seconds.
            ["Database:ConnectTimeout"] = "00:00:30",
            ["Database:CommandTimeout"] = "00:00:30",
            ["Storage:Redis:Url"] = redis.Url,
            ["Storage:Redis:Deadline"] = "00:00:10",
            ["Storage:Redis:ConnectTimeout"] = "00:00:30",
            ["Api:ShutdownTimeout"] = "00:01:00",
            ["Passwords:HashIterations"] = "100000",
            ["Passwords:BreachedListFile"] = BreachedList(),
            ["Passwords:HashQueueTimeout"] = "00:01:00",
            ["Mail:Folder"] = Path.Combine(folder.FullName, "mail"),
            ["Avatars:Folder"] = AvatarFolder,
            ["TwoFactor:Issuer"] = "Acme",
            // Has tests of its own.
            ["Admin:RequireSecondFactor"] = "false",
            ["ExternalSignIn:Timeout"] = "00:00:30",
            ["ExternalSignIn:PublicOrigin"] = Address.GetLeftPart(UriPartial.Authority),
            ["ExternalSignIn:Providers:acme:DisplayName"] = "Acme",
            ["ExternalSignIn:Providers:acme:Authority"] = Provider.Authority,
            ["ExternalSignIn:Providers:acme:ClientId"] = Provider.ClientId,
            ["ExternalSignIn:Providers:acme:ClientSecret"] = Provider.ClientSecret,
            ["ExternalSignIn:Providers:strict:Authority"] = Provider.Authority,
            ["ExternalSignIn:Providers:strict:ClientId"] = Provider.ClientId,
            ["ExternalSignIn:Providers:strict:ClientSecret"] = Provider.ClientSecret,
            ["ExternalSignIn:Providers:strict:LinkByEmail"] = "false",
            ["ExternalSignIn:Providers:strict:CreateAccounts"] = "false",
        };
        foreach (var limit in Limits)
        {
            // Limits have tests of their own; here they would only be in the way.
            Settings[$"Storage:RateLimits:{limit}:Permits"] = "100000";
        }

        foreach (var (name, value) in More)
        {
            Settings[name] = value;
        }

        app = HostSetup.Build(
            [.. Settings.Select(setting => $"--{setting.Key}={setting.Value}")],
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(Logs);
                // A client of ours whose thread is held up between a head and its body is no slow one.
                builder.WebHost.ConfigureKestrel(kestrel => (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (null, null));
            });
        await app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        await Provider.DisposeAsync();
        await redis.DisposeAsync();
        folder.Delete(recursive: true);
    }

    /// <summary>A new database with the tables.</summary>
    public static async Task<PostgresDatabase> MigratedDatabaseAsync(PostgresServer? server = null)
    {
        var created = await (server ?? await PostgresServer.SharedAsync()).CreateDatabaseAsync();
        foreach (var file in Directory.GetFiles(Path.Combine(BuiltProgram.RepositoryRoot, "src", "WebHost", "Database", "Migrations"), "*.sql").Order(StringComparer.Ordinal))
        {
            await created.ExecuteAsync(await File.ReadAllTextAsync(file));
        }

        return created;
    }

    /// <summary>Runs a verb of the host as a program, with this host's settings.</summary>
    public async Task<int> RunAsync(params string[] verb)
    {
        await using var program = ChildProcess.StartOurs(
            "WebHost", verb, Settings.ToDictionary(setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value));
        return await program.WaitForExitAsync(TimeSpan.FromMinutes(2));
    }

    private string BreachedList()
    {
        var file = Path.Combine(folder.FullName, "breached.txt");
        File.WriteAllText(file, BreachedPassword);
        return file;
    }

    public ApiClient Client() => new(Address);

    /// <summary>An account that nobody else in the tests has, with a verified address.</summary>
    internal async Task<User> AccountAsync(bool verified = true, bool password = true, string[]? roles = null)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<UserManager<User>>();
        var number = Interlocked.Increment(ref accounts);
        var user = new User { Email = $"user{number}-{Guid.NewGuid():N}@example.org", Name = $"User {number}", EmailVerified = verified, OwnerProved = verified, CreatedAt = TimeProvider.System.GetUtcNow() };
        if (password)
        {
            user.PasswordHash = scope.ServiceProvider.GetRequiredService<IPasswordHasher<User>>().HashPassword(user, Password);
        }

        user.Roles.AddRange((roles ?? []).Select(role => new UserRole { UserId = user.Id, Role = role }));
        (await users.CreateAsync(user)).Succeeded.ShouldBeTrue();
        return user;
    }

    /// <summary>A client that is signed in without a password, which is quick.</summary>
    internal async Task<ApiClient> SignedInAsync(User user, string? device = null)
    {
        var claims = Maintenance.WebHost.Sessions.SessionIssuer.ClaimsOf(user);
        var issued = await SessionStore.CreateAsync(
            new NewSession { UserId = user.Key, DeviceName = device, UserAgent = "tests", IpAddress = System.Net.IPAddress.Loopback, Claims = claims }, CancellationToken.None);
        return new ApiClient(Address) { Token = issued.Token.Value, SessionId = issued.Session.Id.Value };
    }

    /// <summary>A client whose session a refresh token made: its owner was not there.</summary>
    internal async Task<ApiClient> RefreshedAsync(User user)
    {
        var client = await SignedInAsync(user);
        var family = await app.Services.GetRequiredService<Storage.RefreshTokens.IRefreshTokenStore>().IssueAsync(
            new() { UserId = user.Key, SessionId = SessionId.Parse(client.SessionId!) }, CancellationToken.None);
        var refreshed = await Client().PostAsync("/api/auth/refresh", new { refreshToken = family.Token!.Value });
        refreshed.Status.ShouldBe(200, refreshed.Text);
        return new ApiClient(Address) { Token = refreshed.Json.GetProperty("sessionToken").GetString() };
    }

    /// <summary>The newest mail to an address that holds a text.</summary>
    public Task<string> MailAsync(string address, string text) => Eventually.NotNullAsync(
        async () =>
        {
            var folderOfMail = Settings["Mail:Folder"]!;
            foreach (var file in Directory.Exists(folderOfMail) ? Directory.GetFiles(folderOfMail, "*.eml") : [])
            {
                var mail = await File.ReadAllTextAsync(file);
                if (mail.Contains(address, StringComparison.OrdinalIgnoreCase) && mail.Contains(text, StringComparison.OrdinalIgnoreCase))
                {
                    return mail;
                }
            }

            return null;
        },
        TimeSpan.FromSeconds(60));

    /// <summary>The user as it is in the database now.</summary>
    internal async Task<User?> FindAsync(User user)
    {
        await using var scope = app.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByIdAsync(user.Key);
    }
}

[CollectionDefinition(Name)]
public sealed class FeatureCollection : ICollectionFixture<FeatureHost>
{
    public const string Name = "feature host";
}
