using Maintenance.Storage.Redis;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Tokens;
using Maintenance.Testing;

namespace Maintenance.Storage.RedisTests.RefreshTokens;

public sealed class RedisRefreshTokenTests(RedisFixture redis) : RefreshTokenContract, IClassFixture<RedisFixture>
{
    protected override AuthBed Bed(params (string Name, string Value)[] settings) => new RedisAuthBed(redis.Server, settings);

    [Fact]
    public async Task Rotate_Denies_WhenTheGenerationHasBeenEvicted()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var (userId, _, token) = await LogInAsync(bed);
        await redis.Server.ExecuteAsync("DEL", bed.Keys.Generation(UserReference.Of(userId)));

        (await bed.Families.RotateAsync(token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
        // A later log-in makes a new generation, which must not revive the old family.
        await LogInAsync(bed, userId);
        (await bed.Families.RotateAsync(token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
    }

    [Fact]
    public async Task Rotate_Denies_WhenTheIndexHasBeenEvicted()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var (userId, _, token) = await LogInAsync(bed);
        await redis.Server.ExecuteAsync("DEL", bed.Keys.RefreshIndex(UserReference.Of(userId)));

        (await bed.Families.RotateAsync(token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
    }

    [Fact]
    public async Task RevokeAll_Holds_WhenTheIndexHasLostAFamily()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var (userId, _, token) = await LogInAsync(bed);
        var (_, _, other) = await LogInAsync(bed, userId);
        await redis.Server.ExecuteAsync("ZREM", bed.Keys.RefreshIndex(UserReference.Of(userId)), token.FamilyId.Value);

        await bed.Families.RevokeAllAsync(userId, None);

        (await bed.Families.RotateAsync(token.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Families.RotateAsync(other.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
    }

    [Fact]
    public async Task Issue_GivesEveryKeyALife_AndTheGenerationTheLongest()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var userId = AuthBed.NewUserId();
        var user = UserReference.Of(userId);
        var issue = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, Life = TimeSpan.FromDays(100) }, None);

        var family = await redis.Server.IntegerAsync("PTTL", bed.Keys.RefreshFamily(user, issue.Token!.FamilyId));
        var index = await redis.Server.IntegerAsync("PTTL", bed.Keys.RefreshIndex(user));
        var generation = await redis.Server.IntegerAsync("PTTL", bed.Keys.Generation(user));

        family.ShouldBeInRange((long)TimeSpan.FromDays(99.9).TotalMilliseconds, (long)TimeSpan.FromDays(100).TotalMilliseconds);
        index.ShouldBeInRange(family - 60_000, (long)TimeSpan.FromDays(100).TotalMilliseconds);
        generation.ShouldBeGreaterThanOrEqualTo(family - 60_000);
        await bed.Families.RotateAsync(issue.Token.Value, None);
        (await redis.Server.IntegerAsync("PTTL", bed.Keys.RefreshFamily(user, issue.Token.FamilyId))).ShouldBeInRange(family - 60_000, family);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("\u0001")]
    public async Task Rotate_DeniesAndLeavesAlone_WhatIsNotAFamily(string value)
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var (userId, _, token) = await LogInAsync(bed);
        var key = bed.Keys.RefreshFamily(UserReference.Of(userId), token.FamilyId);
        await redis.Server.ExecuteAsync("SET", key, value);

        (await bed.Families.RotateAsync(token.Value, None)).Denial.ShouldBe(TokenDenial.Unreadable);

        (await redis.Server.StringAsync("GET", key)).ShouldBe(value);
    }

    [Fact]
    public async Task Revoke_LeavesARecordOfAnUnknownFormat_AndItIsNotValidAnyMore()
    {
        await using var bed = new RedisAuthBed(redis.Server);
        var (userId, _, token) = await LogInAsync(bed);
        var user = UserReference.Of(userId);
        var key = bed.Keys.RefreshFamily(user, token.FamilyId);
        await redis.Server.ExecuteAsync("SETRANGE", key, "0", "\u0009");

        (await bed.Families.RevokeAsync(userId, token.FamilyId, None)).ToBoolean().ShouldBeTrue();

        (await redis.Server.IntegerAsync("EXISTS", key)).ShouldBe(1);
        (await bed.Families.RotateAsync(token.Value, None)).Denial.ShouldBe(TokenDenial.Unreadable);
        await redis.Server.ExecuteAsync("SETRANGE", key, "0", "\u0001");
        (await bed.Families.RotateAsync(token.Value, None)).Denial.ShouldBe(TokenDenial.Revoked);
    }

    [Fact]
    public async Task Rotate_WorksOnAFullRedis_SoThatUsersStayLoggedIn()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });
        await using var bed = new RedisAuthBed(server);
        var (_, _, token) = await LogInAsync(bed);
        await server.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        var rotation = await bed.Families.RotateAsync(token.Value, None);

        rotation.Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await bed.Families.RotateAsync(rotation.Token!.Value, None)).Outcome.ShouldBe(RefreshOutcome.Rotated);
        (await Should.ThrowAsync<StorageUnavailableException>(
            () => bed.Families.IssueAsync(new NewRefreshFamily { UserId = AuthBed.NewUserId() }, None))).Reason.ShouldBe(UnavailableReason.OutOfMemory);
    }

    [Fact]
    public async Task Redis_HoldsNoSecretOfAnyToken()
    {
        await using var server = await RedisServer.StartAsync();
        await using var bed = new RedisAuthBed(server);
        var (_, _, first) = await LogInAsync(bed);
        var second = await bed.Families.RotateAsync(first.Value, None);
        var third = await bed.Families.RotateAsync(second.Token!.Value, None);

        var dump = await RedisDump.EverythingAsync(server);

        dump.ShouldContain(first.FamilyId.Value);
        dump.ShouldContain(third.Token!.Hash.Value);
        foreach (var token in new[] { first, second.Token!, third.Token! })
        {
            dump.ShouldNotContain(token.Value[(RefreshToken.Length - TokenSecret.Length)..]);
        }
    }
}
