using System.Net;
using System.Text;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.Tests.Sessions;

public sealed class SessionRecordFormatTests
{
    private static readonly SessionId Id = SessionToken.Create(UserReference.Of("x")).Id;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Decode_GivesBackWhatWasEncoded_ForRandomSessions(int version)
    {
        var random = new Random(version);
        for (var i = 0; i < 2000; i++)
        {
            var userId = random.Next(2) == 0 ? new Guid(RandomBytes(random, 16)).ToString(random.Next(4) switch { 0 => "N", 1 => "B", _ => "D" }) : Text(random, 1, 60);
            IPAddress? ip = random.Next(3) switch { 0 => null, 1 => new IPAddress(RandomBytes(random, 4)), _ => new IPAddress(RandomBytes(random, 16)) };
            var userAgent = Text(random, 0, 120);
            var device = Text(random, 0, 30);
            var claims = Enumerable.Range(0, random.Next(5)).Select(n => (Key: $"{n}{Text(random, 0, 10)}", Value: Text(random, 0, 40))).ToDictionary(c => c.Key, c => c.Value);

            var record = RecordBytes.Session(version, userId, ip, userAgent, device, claims);
            SessionRecordFormat.Classify(record, SessionRecordFormat.Newest, out var read).ShouldBe(RecordKind.Session);
            read.ShouldBe(version);
            var session = SessionRecordFormat.Decode(Id, record).ShouldNotBeNull();

            session.UserId.ShouldBe(userId);
            session.IpAddress.ShouldBe(RecordWriter.Plain(ip));
            session.UserAgent.ShouldBe(userAgent.Length == 0 ? null : userAgent);
            session.DeviceName.ShouldBe(device.Length == 0 ? null : device);
            session.Claims.OrderBy(c => c.Key, StringComparer.Ordinal).ShouldBe(claims.OrderBy(c => c.Key, StringComparer.Ordinal));
            session.Generation.ShouldBe(RecordBytes.Generation);
            session.CreatedAt.ToUnixTimeMilliseconds().ShouldBe(RecordBytes.Created);
            session.LastSeenAt.ToUnixTimeMilliseconds().ShouldBe(RecordBytes.Created + 60_000);
            session.AuthenticatedAt.ToUnixTimeMilliseconds().ShouldBe(version == 1 ? RecordBytes.Created : RecordBytes.Created + 1000);
            session.ExpiresAt.ToUnixTimeMilliseconds().ShouldBe(RecordBytes.Created + 60_000 + 86_400_000);
            session.AbsoluteExpiresAt.ToUnixTimeMilliseconds().ShouldBe(RecordBytes.Created + 604_800_000);
            session.SlidingExpiration.ShouldBe(TimeSpan.FromDays(1));
        }
    }

    [Fact]
    public void ReferenceSession_Takes153Bytes()
    {
        var record = RecordBytes.Session(1, Guid.NewGuid().ToString("D"), IPAddress.Parse("192.0.2.7"), new string('u', 80), new string('d', 20));

        record.Length.ShouldBe(31 + 16 + 5 + 81 + 21 + 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TruncatedRecord_IsNeverASession(int version)
    {
        var record = RecordBytes.Session(version, "user", IPAddress.Loopback, "agent", "device", new() { ["role"] = "admin" });
        for (var length = 0; length < record.Length; length++)
        {
            var torn = record[..length];
            if (SessionRecordFormat.Classify(torn, 2, out _) == RecordKind.Session)
            {
                SessionRecordFormat.Decode(Id, torn).ShouldBeNull();
            }
        }

        SessionRecordFormat.Decode(Id, [.. record, 0]).ShouldBeNull();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void FlippedBit_NeverThrows_AndNeverValidatesForAnotherUserOrGeneration(int version)
    {
        var user = UserReference.Of("user");
        var record = RecordBytes.Session(version, "user", IPAddress.Loopback, "agent", "device", new() { ["role"] = "admin" });
        var firstOfUser = version == 1 ? 31 : 37;
        for (var bit = 0; bit < record.Length * 8; bit++)
        {
            var damaged = record.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));

            var validation = Judge(user, damaged, RecordBytes.Generation);

            var (at, lastOfUser) = (bit / 8, firstOfUser + 4);
            if (at == 1 || (at >= 20 && at < 27) || (at >= firstOfUser && at <= lastOfUser))
            {
                validation.IsValid.ShouldBeFalse($"byte {at}");
            }

            if (validation.Session is { } session)
            {
                session.UserId.ShouldBe("user");
                session.Generation.ShouldBe(RecordBytes.Generation);
            }
        }
    }

    [Fact]
    public void RandomBytes_NeverThrow_AndNeverValidate()
    {
        var random = new Random(99);
        var user = UserReference.Of("user");
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = RandomBytes(random, random.Next(120));
            if (bytes.Length > 2 && random.Next(2) == 0)
            {
                (bytes[0], bytes[1]) = ((byte)random.Next(1, 3), (byte)(random.Next(2) * 0x80));
            }

            Judge(user, bytes, RecordBytes.Generation).IsValid.ShouldBeFalse();
        }
    }

    [Fact]
    public void RecordWithAUserIdThatIsTooLong_DeniesInsteadOfThrowing()
    {
        var body = new RecordWriter();
        body.WriteText(new string('x', 300), 300, "userId");
        body.WriteBytes([0, 0, 0, 0]);
        byte[] record = [.. RecordBytes.Session(1, "user")[..31], .. body.ToArray()];

        Judge(UserReference.Of("user"), record, RecordBytes.Generation).Denial.ShouldBe(SessionDenial.Unreadable);
    }

    [Fact]
    public void RecordOfAnotherUser_IsDenied_EvenUnderTheRightGeneration() =>
        Judge(UserReference.Of("other"), RecordBytes.Session(1, "user"), RecordBytes.Generation).Denial.ShouldBe(SessionDenial.Unreadable);

    [Theory]
    [InlineData(3, 2)]
    [InlineData(255, 2)]
    [InlineData(2, 1)]
    public void NewerFormat_IsRefusedWithAnErrorThatNamesBothVersions(int version, int newestKnown)
    {
        using var log = new LogCollector();
        var record = RecordBytes.Session(2, "user");
        record[0] = (byte)version;

        var validation = Judge(UserReference.Of("user"), record, RecordBytes.Generation, log, newestKnown);

        validation.Denial.ShouldBe(SessionDenial.Unreadable);
        var entry = log.WithEvent(1102).ShouldHaveSingleItem();
        entry.Level.ShouldBe(Microsoft.Extensions.Logging.LogLevel.Error);
        entry.Message.ShouldContain($"format {version}");
        entry.Message.ShouldContain($"up to {newestKnown}");
        entry.Message.ShouldNotContain(Id.Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("x")]
    [InlineData(" 1700000000123456")]
    [InlineData("1700000000123456 ")]
    [InlineData("+1700000000123456")]
    [InlineData("1700000000123456\0")]
    [InlineData("1.7e15")]
    [InlineData("1700000000123457")]
    [InlineData("99999999999999999999")]
    [InlineData("9007199254740992")]
    public void MissingOrUnreadableGeneration_Denies(string? generation)
    {
        var read = new SessionRead(RecordBytes.Session(1, "user"), generation is null ? null : Encoding.UTF8.GetBytes(generation), 1000, 0);

        NewReader(new LogCollector(), 2).Judge(UserReference.Of("user"), Id, read).Denial.ShouldBe(SessionDenial.Revoked);
    }

    [Fact]
    public void MillisecondsSinceSeen_IsDefinedForEveryTtl()
    {
        var session = SessionRecordFormat.Decode(Id, RecordBytes.Session(1, "user"))!;

        new SessionRead(null, null, 86_400_000 - 5000, 0).MillisecondsSinceSeen(session).ShouldBe(5000);
        new SessionRead(null, null, long.MaxValue / 2, 0).MillisecondsSinceSeen(session).ShouldBeLessThan(-1000);
    }

    [Fact]
    public void EncodeBody_RefusesFieldsOutOfTheirBounds()
    {
        Should.Throw<ArgumentException>(() => RecordBytes.Session(1, "u", device: new string('d', 129))).Message.ShouldContain("deviceName");
        Should.Throw<ArgumentException>(() => RecordBytes.Session(1, "u", claims: new() { ["a"] = new string('x', 4096) })).Message.ShouldContain("claims");
        Should.Throw<ArgumentException>(() => RecordBytes.Session(1, "u", claims: new() { ["\ud800"] = "1", ["\ud801"] = "2" }));
        Should.Throw<ArgumentException>(() => RecordBytes.Session(1, "u", device: "half \udc00"));
    }

    [Theory]
    [InlineData("short", 10, "short")]
    [InlineData("0123456789", 4, "0123")]
    [InlineData("aé€😀b", 6, "aé€")]
    [InlineData("aé€😀b", 9, "aé€")]
    [InlineData("aé€😀b", 10, "aé€😀")]
    public void Cut_NeverSplitsACharacter(string text, int bytes, string expected) => RecordWriter.Cut(text, bytes).ShouldBe(expected);

    // Not among the data above: an attribute is stored as UTF-8, which has no half pairs.
    [Fact]
    public void Cut_ReplacesHalfAPair() => RecordWriter.Cut("x\ud800y", 10).ShouldBe("x\ufffdy");

    [Fact]
    public void Address_IsReadBackAsItWasGivenOut()
    {
        RecordWriter.Plain(IPAddress.Parse("::ffff:192.0.2.7")).ShouldBe(IPAddress.Parse("192.0.2.7"));
        RecordWriter.Plain(IPAddress.Parse("fe80::1%3")).ShouldBe(IPAddress.Parse("fe80::1"));
        RecordWriter.Plain(null).ShouldBeNull();
    }

    private static SessionValidation Judge(UserReference user, byte[] record, long generation, LogCollector? log = null, int newestKnown = 2) =>
        NewReader(log ?? new LogCollector(), newestKnown)
            .Judge(user, Id, new SessionRead(record, Encoding.ASCII.GetBytes($"{generation}"), 1000, 0));

    // The judge reads nothing: no connection is needed.
    private static SessionReader NewReader(LogCollector log, int newestKnown) =>
        new(null!, new RedisKeys(""), log.For<RedisSessionStore>(), () => SessionOptions.LongestLife) { NewestKnownFormat = newestKnown };

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string Text(Random random, int shortest, int longest)
    {
        var runes = new StringBuilder();
        var count = random.Next(shortest, longest + 1);
        while (runes.Length < count)
        {
            var value = random.Next(4) switch { 0 => random.Next(0x20, 0x7F), 1 => random.Next(0xA0, 0x800), 2 => random.Next(0x800, 0xD800), _ => random.Next(0x10000, 0x110000) };
            runes.Append(new Rune(value).ToString());
        }

        // At most 30 characters of 4 bytes fit a device name, and 60 a user id.
        return runes.ToString();
    }
}
