using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Worker.IndexReconciliation;
using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.Tests.IndexReconciliation;

public sealed class LiveSessionsTests
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    private readonly Random random = new(20261121);

    [Fact]
    public void PackedIds_GiveBackTheSameText_WhateverTheCharacters()
    {
        for (var i = 0; i < 10_000; i++)
        {
            // Every text of the alphabet, also those that no hash would be encoded as.
            var id = SessionId.Parse(Text(SessionId.Length));
            PackedId.Of(id).Unpack().ShouldBe(id);
            UserReference.TryParse(Text(UserReference.Length), out var user).ShouldBeTrue();
            PackedUser.Of(user).Unpack().ShouldBe(user);
        }
    }

    [Fact]
    public void Table_HoldsEachSessionOnceWithItsLastExpiry_LikeADictionary()
    {
        var live = new LiveSessions();
        var model = new Dictionary<(UserReference User, SessionId Id), long>();
        var users = Enumerable.Range(0, 500).Select(number => UserReference.Of($"user {number}")).ToArray();
        var ids = Enumerable.Range(0, 3000).Select(_ => SessionId.Parse(Text(SessionId.Length))).ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            var (user, id) = (users[random.Next(users.Length)], ids[random.Next(ids.Length)]);
            live.AddSession(user, id, i);
            model[(user, id)] = i;
        }

        live.SessionCount.ShouldBe(model.Count);
        live.UserCount.ShouldBe(users.Length);
        foreach (var number in live.Users())
        {
            foreach (var id in ids)
            {
                var session = live.FindSession(number, PackedId.Of(id));
                (session >= 0).ShouldBe(model.TryGetValue((live.User(number), id), out var expires));
                if (session >= 0)
                {
                    live.Expires(session).ShouldBe(expires);
                }
            }
        }
    }

    [Fact]
    public void NotIndexed_IsWhatNobodyMarked()
    {
        var live = new LiveSessions();
        var user = UserReference.Of("somebody");
        var ids = Enumerable.Range(0, 100).Select(_ => SessionId.Parse(Text(SessionId.Length))).ToArray();
        foreach (var id in ids)
        {
            live.AddSession(user, id, 1);
        }

        foreach (var id in ids[..60])
        {
            live.MarkIndexed(live.FindSession(0, PackedId.Of(id)));
        }

        live.NotIndexed().Select(session => session.Id.Unpack()).ShouldBe(ids[60..]);
    }

    [Fact]
    public void Users_AreOnlyThoseWithASessionOrAnIndex()
    {
        var live = new LiveSessions();
        live.MarkGeneration(UserReference.Of("logged out"));
        live.MarkIndex(UserReference.Of("index only"));
        live.AddSession(UserReference.Of("session"), SessionId.Parse(Text(SessionId.Length)), 1);
        live.MarkGeneration(UserReference.Of("session"));

        live.Users().Select(number => (live.User(number), live.HasGeneration(number))).ShouldBe(
            [(UserReference.Of("index only"), false), (UserReference.Of("session"), true)]);
        live.UserCount.ShouldBe(2);
    }

    [Fact]
    public void Range_IsNarrow_WhileNobodyKnowsHowLargeTheStoreIs() => TagRange.Next(0, null, 1_000_000).ShouldBe(new TagRange(0, 64));

    [Theory]
    [InlineData(0, 100, 1)]
    [InlineData(100, 100, 1)]
    [InlineData(1000, 100, 10)]
    [InlineData(1_000_000, 1, 4096)]
    public void Ranges_CoverEveryTagOnce(long sessions, long most, int atLeast)
    {
        var ranges = new List<TagRange>();
        for (var next = 0; next < TagRange.Tags; next = ranges[^1].To)
        {
            ranges.Add(TagRange.Next(next, sessions, most));
            ranges[^1].From.ShouldBe(next);
            ranges[^1].To.ShouldBeGreaterThan(next);
        }

        ranges[^1].To.ShouldBe(TagRange.Tags);
        ranges.Count.ShouldBeGreaterThanOrEqualTo(atLeast);
        for (var i = 0; i < 1000; i++)
        {
            var user = UserReference.Of(Text(8));
            ranges.Count(range => range.Contains(user)).ShouldBe(1);
        }
    }

    private string Text(int length) => new(random.GetItems<char>(Alphabet, length));
}
