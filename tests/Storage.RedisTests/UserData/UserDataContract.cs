using System.Net;
using System.Text.Json.Nodes;
using Maintenance.Storage.Analytics;
using Maintenance.Storage.Caching;
using Maintenance.Storage.OneTimeTokens;
using Maintenance.Storage.Profiles;
using Maintenance.Storage.RedisTests.Tokens;
using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.TwoFactor;
using Maintenance.Storage.UserData;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.RedisTests.UserData;

/// <summary>All of one user, listed, exported and erased.</summary>
public abstract class UserDataContract
{
    protected static readonly CancellationToken None = CancellationToken.None;

    protected abstract AuthBed Bed(params (string Name, string Value)[] settings);

    [Fact]
    public async Task List_HoldsSomethingOfEveryKind()
    {
        await using var bed = Bed();
        var filled = await FillAsync(bed);

        var data = await bed.Get<UserDataService>().ListAsync(filled.UserId, None);

        data.Sessions.ShouldHaveSingleItem().Id.ShouldBe(filled.Session.Session.Id);
        data.RefreshFamilies.ShouldHaveSingleItem().Id.ShouldBe(filled.Family.FamilyId);
        data.OneTimeTokens.Select(token => token.Purpose).ShouldBe(Enum.GetValues<OneTimePurpose>(), ignoreOrder: true);
        data.Challenges.ShouldHaveSingleItem().Method.ShouldBe("totp");
        data.SecondFactorAttempts.ShouldBe(1);
        (data.Analytics.TotalLogins, data.Analytics.Devices.Single().Name).ShouldBe((2, "phone"));
        data.Analytics.PastSessions.ShouldHaveSingleItem();
        data.Activities.SelectMany(session => session.Value).Select(activity => activity.Action).ShouldBe(["password.changed", "left"], ignoreOrder: true);
        data.Cached.Keys.ShouldBe(["profile", "menu"], ignoreOrder: true);
    }

    [Fact]
    public async Task Export_IsOneJsonDocumentWithEverySourceAndWithoutASecret()
    {
        await using var bed = Bed();
        var filled = await FillAsync(bed);
        var archive = new Archive();

        var text = System.Text.Encoding.UTF8.GetString(await Service(bed, archive).ExportAsync(filled.UserId, None));

        var document = JsonNode.Parse(text)!.AsObject();
        document["user_id"]!.GetValue<string>().ShouldBe(filled.UserId);
        var session = document["sessions"]![0]!;
        (session["ip_address"]!.GetValue<string>(), session["user_agent"]!.GetValue<string>()).ShouldBe(("203.0.113.9", "Agent/1"));
        session["claims"]!["role"]!.GetValue<string>().ShouldBe("admin");
        document["cached"]!["profile"]!["displayName"]!.GetValue<string>().ShouldBe("Alice");
        document["archive"]!["rows"]!.GetValue<int>().ShouldBe(3);
        document["one_time_tokens"]!.AsArray().Count.ShouldBe(3);
        filled.Secrets.ShouldAllBe(secret => !text.Contains(secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Erase_LeavesNothingOfTheUser_AndEverythingOfOthers()
    {
        await using var bed = Bed();
        var filled = await FillAsync(bed);
        var other = await FillAsync(bed);
        var archive = new Archive();

        var erasure = await Service(bed, archive).EraseAsync(filled.UserId, None);

        erasure.EndedSessions.ShouldBe(1);
        erasure.Sources["archive"].ShouldBe(3);
        (await bed.Get<UserDataService>().ListAsync(filled.UserId, None)).Count.ShouldBe(0);
        (await bed.Sessions.ValidateAsync(filled.Session.Token.Value, None)).IsValid.ShouldBeFalse();
        (await bed.Families.RotateAsync(filled.Family.Value, None)).Outcome.ShouldBe(RefreshOutcome.Denied);
        (await bed.Get<UserDataService>().ListAsync(other.UserId, None)).Count.ShouldBe(14);
        (await bed.Sessions.ValidateAsync(other.Session.Token.Value, None)).IsValid.ShouldBeTrue();
        (await Service(bed, archive).EraseAsync(filled.UserId, None)).EndedSessions.ShouldBe(0);
    }

    [Fact]
    public async Task Erase_AsksTheArchiveWhenTheUsersSessionsHaveEndedAlready()
    {
        await using var bed = Bed();
        var filled = await FillAsync(bed);
        var valid = true;
        var archive = new Archive { Erasing = async () => valid = (await bed.Sessions.ValidateAsync(filled.Session.Token.Value, None)).IsValid };

        await Service(bed, archive).EraseAsync(filled.UserId, None);

        valid.ShouldBeFalse();
    }

    [Fact]
    public async Task LogInAfterAnErasure_IsANewUser()
    {
        await using var bed = Bed();
        var filled = await FillAsync(bed);
        await bed.Get<UserDataService>().EraseAsync(filled.UserId, None);

        var again = await bed.Sessions.CreateAsync(new NewSession { UserId = filled.UserId, DeviceName = "tablet" }, None);
        await bed.RecordedAsync();

        (await bed.Sessions.ValidateAsync(again.Token.Value, None)).IsValid.ShouldBeTrue();
        (await bed.Sessions.ValidateAsync(filled.Session.Token.Value, None)).IsValid.ShouldBeFalse();
        var known = await bed.Get<IAnalyticsStore>().GetUserAsync(filled.UserId, None);
        (known.TotalLogins, known.Devices.ShouldHaveSingleItem().Name).ShouldBe((1, "tablet"));
    }

    [Fact]
    public async Task Erase_AmongLogIns_LeavesEachSessionEitherWholeOrGone()
    {
        await using var bed = Bed(("Storage:Sessions:MaxSessionsPerUser", "500"));
        var userId = AuthBed.NewUserId();
        var service = bed.Get<UserDataService>();

        var issued = await AuthBed.AtOnceAsync(120, async i =>
        {
            if (i == 60)
            {
                await service.EraseAsync(userId, None);
                return null;
            }

            return await bed.Sessions.CreateAsync(new NewSession { UserId = userId, DeviceName = "phone" }, None);
        });

        var data = await service.ListAsync(userId, None);
        var listed = data.Sessions.Select(session => session.Id).ToHashSet();
        foreach (var session in issued.OfType<IssuedSession>())
        {
            (await bed.Sessions.ValidateAsync(session.Token.Value, None)).IsValid.ShouldBe(listed.Contains(session.Token.Id));
        }

        // A log-in whose session was erased must not have been recorded afterwards.
        data.Analytics.TotalLogins.ShouldBeLessThanOrEqualTo(listed.Count);
        await service.EraseAsync(userId, None);
        (await service.ListAsync(userId, None)).Count.ShouldBe(0);
    }

    [Fact]
    public async Task WhatComesLate_IsNotRecordedOfAnErasedUser()
    {
        await using var bed = Bed();
        var analytics = bed.Get<IAnalyticsStore>();
        var filled = await FillAsync(bed);
        var session = filled.Session.Session;
        await bed.Get<UserDataService>().EraseAsync(filled.UserId, None);

        (await analytics.RecordLoginAsync(session, None)).ShouldBeFalse();
        (await analytics.RecordEndAsync(filled.UserId, session.Id, null, None)).ShouldBeFalse();
        (await analytics.RecordActivityAsync(filled.UserId, session.Id, "late", null, None)).ShouldBeFalse();

        (await bed.Get<UserDataService>().ListAsync(filled.UserId, None)).Count.ShouldBe(0);
    }

    [Fact]
    public async Task ClientDetails_AreNotStored_WhenTheirLifeIsZero()
    {
        await using var bed = Bed(("Storage:Sessions:ClientDetailsLife", "00:00:00"));
        var filled = await FillAsync(bed);

        (filled.Session.Session.IpAddress, filled.Session.Session.UserAgent).ShouldBe((null, null));
        var session = (await bed.Sessions.ValidateAsync(filled.Session.Token.Value, None)).Session!;
        (session.IpAddress, session.UserAgent, session.DeviceName).ShouldBe((null, null, "phone"));
    }

    [Fact]
    public async Task ClientDetails_AreNotShownAnyMore_WhenTheirLifeIsOver()
    {
        await using var bed = Bed(("Storage:Sessions:ClientDetailsLife", "00:00:01"));
        var filled = await FillAsync(bed);
        await bed.PassAsync(TimeSpan.FromSeconds(1.1));

        foreach (var session in new[]
        {
            (await bed.Sessions.ValidateAsync(filled.Session.Token.Value, None)).Session!,
            (await bed.Sessions.ListAsync(filled.UserId, None)).Single(),
            (await bed.Sessions.GetAsync(filled.UserId, filled.Session.Session.Id, None))!,
        })
        {
            (session.IpAddress, session.UserAgent, session.DeviceName, session.Claims["role"]).ShouldBe((null, null, "phone", "admin"));
        }
    }

    /// <summary>A user with something of every kind, and the secrets that must be nowhere.</summary>
    protected static async Task<Filled> FillAsync(AuthBed bed, string? userId = null)
    {
        userId ??= AuthBed.NewUserId();
        var analytics = bed.Get<IAnalyticsStore>();
        var past = await bed.Sessions.CreateAsync(new NewSession { UserId = userId, DeviceName = "phone" }, None);
        await bed.RecordedAsync();
        await analytics.RecordActivityAsync(userId, past.Session.Id, "left", null, None);
        await bed.Sessions.RevokeAsync(userId, past.Session.Id, None);
        var session = await bed.Sessions.CreateAsync(
            new NewSession
            {
                UserId = userId,
                DeviceName = "phone",
                IpAddress = IPAddress.Parse("203.0.113.9"),
                UserAgent = "Agent/1",
                Claims = new Dictionary<string, string> { ["role"] = "admin" },
            },
            None);
        await bed.RecordedAsync();
        await analytics.RecordActivityAsync(userId, session.Session.Id, "password.changed", "by form", None);
        var family = await bed.Families.IssueAsync(new NewRefreshFamily { UserId = userId, SessionId = session.Token.Id }, None);
        var secrets = new List<string> { session.Token.Value, family.Token!.Value };
        foreach (var purpose in Enum.GetValues<OneTimePurpose>())
        {
            secrets.Add((await bed.Get<IOneTimeTokenStore>().IssueAsync(purpose, userId, "alice@example.com", None)).Token.Value);
        }

        var challenge = await bed.Get<ITwoFactorStore>().BeginAsync(new NewTwoFactorChallenge { UserId = userId, Method = "totp" }, None);
        await bed.Get<ITwoFactorStore>().AttemptAsync(challenge.Token!.Value, None);
        secrets.Add(challenge.Token.Value);
        await bed.Get<ProfileCache>().GetOrLoadAsync(
            userId, _ => Task.FromResult<IReadOnlyDictionary<string, string?>?>(new Dictionary<string, string?> { ["displayName"] = "Alice" }), None);
        await bed.Get<AuthCache>().GetOrCreateAsync<string>(CacheKey.OfUser(userId, "menu"), _ => Task.FromResult<string?>("small"), None);
        return new Filled(userId, session, family.Token, [.. secrets.Select(secret => secret[(secret.LastIndexOf('.') + 1)..])]);
    }

    protected static UserDataService Service(AuthBed bed, IUserDataSource source) => new(
        bed.Sessions, bed.Get<AuthCache>(), bed.Get<IUserDataStore>(), [source], TimeProvider.System, NullLogger<UserDataService>.Instance);

    protected sealed record Filled(string UserId, IssuedSession Session, RefreshToken Family, IReadOnlyList<string> Secrets);

    private sealed class Archive : IUserDataSource
    {
        public Func<Task> Erasing { get; init; } = () => Task.CompletedTask;

        public string Name => "archive";

        public Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken) => Task.FromResult<JsonNode?>(new JsonObject { ["rows"] = 3 });

        public async Task<long> EraseAsync(string userId, CancellationToken cancellationToken)
        {
            await Erasing();
            return 3;
        }
    }
}
