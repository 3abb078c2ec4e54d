using Maintenance.Storage.Caching;
using Maintenance.Storage.Denylist;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Tests.Redis;

public sealed class RedisKeysTests
{
    private const string U = "{Ab}cD3fGhIjKlMnOp";
    private const string Sid = "abcdefghijklmnopqrstuv";

    private static readonly string[] KnownNames =
    [
        $"session:{U}:{Sid}", $"user:sessions:{U}", $"user:generation:{U}", $"auth:refresh:{U}:{Sid}", $"auth:refresh:user:{U}",
        $"2fa:challenge:{U}:{Sid}", $"pwd:reset:{U}:{Sid}", $"user:profile:{U}", $"session:activity:{U}:{Sid}",
        $"2fa:challenge:user:{U}", $"2fa:user:{U}", $"pwd:reset:user:{U}", $"email:verify:{U}:{Sid}", $"email:verify:user:{U}",
        $"magic:link:{U}:{Sid}", $"magic:link:user:{U}", $"user:cache:{U}",
        $"user:stats:{U}", $"user:devices:{U}", $"user:history:{U}", "stats:logins:{2030-01-31}", "stats:users:{2030-01-31}",
        $"session:ended:{U}:{Sid}", $"user:fence:{U}",
    ];

    [Theory]
    [InlineData($"session:{U}:{Sid}", StateKind.Session)]
    [InlineData($"user:sessions:{U}", StateKind.SessionIndex)]
    [InlineData($"user:generation:{U}", StateKind.Generation)]
    [InlineData($"auth:refresh:{U}:{Sid}", StateKind.RefreshToken)]
    [InlineData($"auth:refresh:user:{U}", StateKind.RefreshTokenIndex)]
    [InlineData($"2fa:challenge:{U}:{Sid}", StateKind.TwoFactorChallenge)]
    [InlineData($"pwd:reset:{U}:{Sid}", StateKind.PasswordReset)]
    [InlineData($"oauth:state:{Sid}", StateKind.OAuthState)]
    [InlineData($"blacklist:{Sid}", StateKind.DenylistEntry)]
    [InlineData($"rate:limit:login:{Sid}", StateKind.RateLimit)]
    [InlineData($"user:profile:{U}", StateKind.Profile)]
    [InlineData("cache:x", StateKind.Cache)]
    [InlineData($"session:activity:{U}:{Sid}", StateKind.SessionActivity)]
    [InlineData("maintenance:lease:x", StateKind.Maintenance)]
    [InlineData($"2fa:challenge:user:{U}", StateKind.TwoFactorChallengeIndex)]
    [InlineData($"2fa:user:{U}", StateKind.TwoFactorUser)]
    [InlineData($"pwd:reset:user:{U}", StateKind.PasswordResetIndex)]
    [InlineData($"email:verify:{U}:{Sid}", StateKind.EmailVerification)]
    [InlineData($"email:verify:user:{U}", StateKind.EmailVerificationIndex)]
    [InlineData($"magic:link:{U}:{Sid}", StateKind.MagicLink)]
    [InlineData($"magic:link:user:{U}", StateKind.MagicLinkIndex)]
    [InlineData($"user:cache:{U}", StateKind.CacheEpoch)]
    [InlineData($"cache:{U}:x", StateKind.Cache)]
    [InlineData($"dataprotection:{Sid}", StateKind.DataProtection)]
    [InlineData($"user:stats:{U}", StateKind.UserStats)]
    [InlineData($"user:devices:{U}", StateKind.UserDevices)]
    [InlineData($"user:history:{U}", StateKind.UserHistory)]
    [InlineData("stats:logins:{2030-01-31}", StateKind.DayLogins)]
    [InlineData("stats:users:{2030-01-31}", StateKind.DayUsers)]
    [InlineData($"session:ended:{U}:{Sid}", StateKind.SessionTombstone)]
    [InlineData($"user:fence:{U}", StateKind.ArchiveFence)]
    public void TryParse_NamesTheKind_OfEveryKeyOfTheDataModel(string key, StateKind kind)
    {
        new RedisKeys("").TryParse(key, out var parsed).ShouldBeTrue();
        parsed.Kind.ShouldBe(kind);
        new RedisKeys("app:").TryParse("app:" + key, out parsed).ShouldBeTrue();
        parsed.Kind.ShouldBe(kind);
    }

    [Fact]
    public void TryParse_ReadsBackWhatTheBuildersWrote()
    {
        foreach (var prefix in new[] { "", "app:", "session:" })
        {
            var keys = new RedisKeys(prefix);
            var user = UserReference.Of("somebody");
            var id = SessionToken.Create(user).Id;

            Parse(keys, keys.Session(user, id)).ShouldBe(new ParsedKey(StateKind.Session, user, id));
            Parse(keys, keys.SessionIndex(user)).ShouldBe(new ParsedKey(StateKind.SessionIndex, user, default));
            Parse(keys, keys.Generation(user)).ShouldBe(new ParsedKey(StateKind.Generation, user, default));
            Parse(keys, keys.DenylistEntry(DenylistId.OfToken("t"))).Kind.ShouldBe(StateKind.DenylistEntry);
            Parse(keys, keys.RateLimit("login", OpaqueId.Of("192.0.2.1:{x}", 100))).Kind.ShouldBe(StateKind.RateLimit);
            Parse(keys, keys.OAuthState(OpaqueId.Of("state", 100))).Kind.ShouldBe(StateKind.OAuthState);
            Parse(keys, keys.Maintenance("lease:x")).Kind.ShouldBe(StateKind.Maintenance);
            Parse(keys, keys.CacheEpoch(user)).ShouldBe(new ParsedKey(StateKind.CacheEpoch, user, default));
            Parse(keys, keys.CacheEntry(CacheKey.Profile(user))).ShouldBe(new ParsedKey(StateKind.Profile, user, default));
            Parse(keys, keys.CacheEntry(CacheKey.OfUser("somebody", "a:b"))).Kind.ShouldBe(StateKind.Cache);
            Parse(keys, keys.SessionActivity(user, id)).ShouldBe(new ParsedKey(StateKind.SessionActivity, user, id));
            Parse(keys, keys.UserStats(user)).ShouldBe(new ParsedKey(StateKind.UserStats, user, default));
            Parse(keys, keys.UserDevices(user)).ShouldBe(new ParsedKey(StateKind.UserDevices, user, default));
            Parse(keys, keys.SessionTombstone(user, id)).ShouldBe(new ParsedKey(StateKind.SessionTombstone, user, id));
            Parse(keys, keys.ArchiveFence(user)).ShouldBe(new ParsedKey(StateKind.ArchiveFence, user, default));
            Parse(keys, keys.UserHistory(user)).ShouldBe(new ParsedKey(StateKind.UserHistory, user, default));
            Parse(keys, keys.DayLogins(new DateOnly(2030, 1, 31))).Kind.ShouldBe(StateKind.DayLogins);
            Parse(keys, keys.DayUsers(new DateOnly(2030, 1, 31))).Kind.ShouldBe(StateKind.DayUsers);
            Parse(keys, keys.CacheEntry(CacheKey.Of("a:b"))).Kind.ShouldBe(StateKind.Cache);
            keys.Session(user, id).ShouldBe(keys.SessionsOf(user) + id.Value);
        }
    }

    [Fact]
    public void Keys_OfAUserShareTheHashTag_WhichIsTwoCharactersOfTheReference()
    {
        var keys = new RedisKeys("app:");
        var user = UserReference.Of("somebody");
        var tag = $"{{{user.Value[..2]}}}";

        foreach (var key in new[] { keys.Session(user, SessionToken.Create(user).Id), keys.SessionIndex(user), keys.Generation(user) })
        {
            key.IndexOf('{', StringComparison.Ordinal).ShouldBe(key.IndexOf(tag, StringComparison.Ordinal));
            key.ShouldStartWith("app:");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("session:")]
    [InlineData("session:AbcD3fGhIjKlMnOp:abcdefghijklmnopqrstuv")]
    [InlineData($"Session:{U}:{Sid}")]
    [InlineData($"session:{U}")]
    [InlineData($"session:{U}:")]
    [InlineData($"session:{U}:{Sid}x")]
    [InlineData($"session:{U}:abcdefghijklmnopqrstu")]
    [InlineData($"session:{U}:abcdefghijklmnopqrst/+")]
    [InlineData($"session:{U}:{Sid}\n")]
    [InlineData($"session:{U};{Sid}")]
    [InlineData($"session:{{A}}bcD3fGhIjKlMnOp:{Sid}")]
    [InlineData($"session:{{Ab}}cD3fGhIjKlMnO}}:{Sid}")]
    [InlineData($" session:{U}:{Sid}")]
    [InlineData($"user:sessions:{U}:x")]
    [InlineData($"user:sessions:{U} ")]
    [InlineData("user:sessions:AbcD3fGhIjKlMnOp")]
    [InlineData($"user:session:{U}")]
    [InlineData("user:generation:42")]
    [InlineData($"auth:refresh:user:{U}:{Sid}")]
    [InlineData("oauth:state:x")]
    [InlineData("blacklist:some.jwt.token")]
    [InlineData("rate:limit:login:192.0.2.1")]
    [InlineData($"user:cache:{U}:x")]
    [InlineData("user:stats:42")]
    [InlineData("stats:logins:2030-01-31")]
    [InlineData("stats:logins:{2030-02-30}")]
    [InlineData("stats:logins:{2030-1-31}")]
    [InlineData("stats:users:{2030-01-31}:x")]
    [InlineData("stats:users:")]
    [InlineData("cache:")]
    [InlineData("oauth:state:")]
    [InlineData("blacklist:")]
    [InlineData("rate:limit:login")]
    [InlineData("rate:limit::x")]
    [InlineData("rate:limit:login:")]
    [InlineData("maintenance:")]
    [InlineData("sess:abc")]
    [InlineData("spring:session:sessions:1")]
    public void TryParse_CallsANearMissForeign(string key)
    {
        new RedisKeys("").TryParse(key, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryParse_CallsKeysOfAnotherPrefixForeign()
    {
        foreach (var name in KnownNames)
        {
            new RedisKeys("app:").TryParse(name, out _).ShouldBeFalse();
            new RedisKeys("app:").TryParse("App:" + name, out _).ShouldBeFalse();
            new RedisKeys("").TryParse("app:" + name, out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void TryParse_NeverThrows_AndFindsNoChangedNameToBeTheSameKey()
    {
        var random = new Random(20_260_101);
        var keys = new RedisKeys("");
        for (var i = 0; i < 20_000; i++)
        {
            var name = KnownNames[random.Next(KnownNames.Length)];
            var at = random.Next(name.Length);
            var changed = random.Next(4) switch
            {
                0 => name.Remove(at, 1),
                1 => name.Insert(at, ((char)random.Next(1, 0x3000)).ToString()),
                2 => name[..at] + (char)random.Next(0, 0x10000) + name[(at + 1)..],
                _ => new string([.. Enumerable.Range(0, random.Next(60)).Select(_ => (char)random.Next(0x10000))]),
            };
            if (changed != name && keys.TryParse(changed, out var parsed))
            {
                // A changed character may name another user or id; then building that key must give back the very same name.
                var rebuilt = parsed.Kind switch
                {
                    StateKind.Session => keys.Session(parsed.User, parsed.Id),
                    StateKind.SessionIndex => keys.SessionIndex(parsed.User),
                    StateKind.Generation => keys.Generation(parsed.User),
                    _ => changed,
                };
                rebuilt.ShouldBe(changed);
            }
        }
    }

    [Theory]
    [InlineData("a{b")]
    [InlineData("}")]
    public void Constructor_RefusesBracesInThePrefix(string prefix) => Should.Throw<ArgumentException>(() => new RedisKeys(prefix));

    [Fact]
    public void Label_IsAClosedSetOfDistinctNames()
    {
        var labels = StateKinds.All.Select(kind => kind.Label()).ToList();
        labels.Distinct().Count().ShouldBe(StateKinds.All.Count);
        labels.ShouldAllBe(label => label.All(c => char.IsAsciiLetterLower(c) || c == '_'));
        Should.Throw<ArgumentOutOfRangeException>(() => ((StateKind)999).Label());
    }

    private static ParsedKey Parse(RedisKeys keys, string key)
    {
        keys.TryParse(key, out var parsed).ShouldBeTrue();
        return parsed;
    }
}
