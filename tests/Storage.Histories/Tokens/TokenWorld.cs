using Maintenance.Storage.Denylist;
using Maintenance.Storage.Histories.Sweeping;
using Maintenance.Storage.OAuth;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Redis;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;
using Maintenance.Storage.TwoFactor;
using Maintenance.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>The stores that one history runs against, on Redis or in memory, as they are or with one planted bug.</summary>
internal sealed record TokenWorld : IAsyncDisposable
{
    public static readonly TimeSpan LongGrace = TimeSpan.FromMinutes(5);

    // No token has to leave for another: which one it would be, two that were issued in the same millisecond do not say.
    private const int Cap = 100;

    public required ISessionStore Sessions { get; init; }

    public required IRefreshTokenStore Families { get; init; }

    public required IOneTimeTokenStore OneTime { get; init; }

    public required ITwoFactorStore TwoFactor { get; init; }

    public required IOAuthStateStore States { get; init; }

    public required ITokenDenylist Denylist { get; init; }

    /// <summary>The server; null in memory, where nothing can be damaged or swept.</summary>
    public (RedisConnection Connection, RedisKeys Keys, Sweeper Sweeper)? Redis { get; init; }

    public ServiceProvider? Owned { get; init; }

    public static TokenWorld OnRedis(RedisConnection connection, TokenHistory history)
    {
        var keys = new RedisKeys($"h{Guid.NewGuid():N}:");
        var (sessions, lifetimes) = (new FixedOptions<SessionOptions>(new SessionOptions()), new FixedOptions<TokenLifetimeOptions>(new TokenLifetimeOptions()));
        return new TokenWorld
        {
            Sessions = new RedisSessionStore(connection, keys, sessions, NullLogger.Instance, SessionScripts.Default),
            Families = new RedisRefreshTokenStore(
                connection, keys, new FixedOptions<RefreshTokenOptions>(new RefreshTokenOptions { RotationGrace = history.Grace ? LongGrace : TimeSpan.Zero }), lifetimes),
            OneTime = new RedisOneTimeTokenStore(connection, keys, new FixedOptions<OneTimeTokenOptions>(new OneTimeTokenOptions { MaxActivePerUser = Cap }), lifetimes),
            TwoFactor = new RedisTwoFactorStore(
                connection,
                keys,
                new FixedOptions<TwoFactorOptions>(new TwoFactorOptions
                {
                    MaxAttempts = TokenModel.MostAttempts, MaxAttemptsPerUser = TokenModel.MostAttemptsOfUser, MaxActivePerUser = Cap,
                }),
                lifetimes),
            States = new RedisOAuthStateStore(connection, keys, new FixedOptions<OAuthStateOptions>(new OAuthStateOptions())),
            Denylist = new RedisTokenDenylist(connection, keys, new FixedOptions<DenylistOptions>(new DenylistOptions())),
            Redis = (connection, keys, new Sweeper(connection, keys, new SessionRepair(connection, keys, sessions, RepairScripts.Default))),
        };
    }

    public static TokenWorld InMemory(TokenHistory history)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Storage:Redis:Enabled"] = "false",
            ["Storage:RefreshTokens:RotationGrace"] = $"{(history.Grace ? LongGrace : TimeSpan.Zero)}",
            ["Storage:OneTimeTokens:MaxActivePerUser"] = $"{Cap}",
            ["Storage:TwoFactor:MaxAttempts"] = $"{TokenModel.MostAttempts}",
            ["Storage:TwoFactor:MaxAttemptsPerUser"] = $"{TokenModel.MostAttemptsOfUser}",
            ["Storage:TwoFactor:MaxActivePerUser"] = $"{Cap}",
        };
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddAuthStorage(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        var provider = services.BuildServiceProvider();
        return new TokenWorld
        {
            // Alone, without what tidies its families: that is another call, and the model counts calls.
            Sessions = provider.GetRequiredService<InMemorySessionStore>(),
            Families = provider.GetRequiredService<InMemoryRefreshTokenStore>(),
            OneTime = provider.GetRequiredService<InMemoryOneTimeTokenStore>(),
            TwoFactor = provider.GetRequiredService<InMemoryTwoFactorStore>(),
            States = provider.GetRequiredService<MemoryOAuthStateStore>(),
            Denylist = provider.GetRequiredService<MemoryTokenDenylist>(),
            Owned = provider,
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (Owned is not null)
        {
            await Owned.DisposeAsync();
        }
    }
}
