using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Tests.Sessions;

public sealed class SessionTokenTests
{
    private static readonly UserReference User = UserReference.Of("somebody");

    [Fact]
    public void Create_MakesASecretOf256Bits_NeverTwice()
    {
        var tokens = Enumerable.Range(0, 1000).Select(_ => SessionToken.Create(User)).ToList();

        tokens.Select(token => token.Value).Distinct().Count().ShouldBe(1000);
        tokens.Select(token => token.Id).Distinct().Count().ShouldBe(1000);
        tokens.ShouldAllBe(token => token.Value.Length == 60 && token.Id.Value.Length == 22);
        var secret = tokens[0].Value[17..];
        System.Buffers.Text.Base64Url.DecodeFromChars(secret).Length.ShouldBe(32);

        // Each of the 256 bits is one in about half of the tokens: nothing of a secret is constant. 5 sigma of 1,000 throws are 79.
        var ones = new int[256];
        foreach (var bytes in tokens.Select(token => System.Buffers.Text.Base64Url.DecodeFromChars(token.Value.AsSpan(17))))
        {
            for (var bit = 0; bit < 256; bit++)
            {
                ones[bit] += (bytes[bit / 8] >> (bit % 8)) & 1;
            }
        }

        ones.ShouldAllBe(count => count > 400 && count < 600);
    }

    [Fact]
    public void TryParse_ReadsBackTheTokenAndItsId()
    {
        var token = SessionToken.Create(User);

        SessionToken.TryParse(token.Value, out var parsed).ShouldBeTrue();

        parsed.User.ShouldBe(User);
        parsed.Id.ShouldBe(token.Id);
        parsed.Value.ShouldBe(token.Value);
    }

    [Fact]
    public void Id_HoldsNothingOfTheSecret_AndChangesWithEachCharacter()
    {
        var token = SessionToken.Create(User);
        for (var i = 17; i < token.Value.Length; i++)
        {
            var other = token.Value[i] == 'A' ? 'B' : 'A';
            SessionToken.TryParse(token.Value[..i] + other + token.Value[(i + 1)..], out var changed).ShouldBeTrue();
            // Also for the last one, whose two lowest bits decode to nothing: no second spelling opens the same session.
            changed.Id.ShouldNotBe(token.Id);
        }
    }

    [Fact]
    public void ToString_HidesTheSecret_AlsoInsideRecords()
    {
        var token = SessionToken.Create(User);
        var secret = token.Value[17..];
        var session = new Session
        {
            Id = token.Id,
            UserId = "somebody",
            CreatedAt = default,
            LastSeenAt = default,
            AuthenticatedAt = default,
            ExpiresAt = default,
            AbsoluteExpiresAt = default,
            SlidingExpiration = default,
            Generation = 1,
        };

        foreach (var text in new[] { token.ToString(), $"{new IssuedSession(token, session)}", $"{new SessionRotation(RotationOutcome.Rotated, new IssuedSession(token, session))}" })
        {
            text.ShouldNotContain(secret);
            text.ShouldNotContain(secret[..8]);
        }

        token.ToString().ShouldNotContain(token.Id.Value);
        token.Id.ToLogString().ShouldBe(token.Id.Value[..10]);
        default(SessionId).ToLogString().ShouldBeEmpty();
    }

    [Fact]
    public void TryParse_NeverThrows_AndTakesNothingButATokensShape()
    {
        var valid = SessionToken.Create(User).Value;
        var random = new Random(4711);
        SessionToken.TryParse(null, out _).ShouldBeFalse();
        foreach (var text in new[] { "", ".", valid[1..], valid + "A", valid.Replace('.', ':'), valid[..59] + "=", valid[..59] + "\n", " " + valid[1..], valid[..59] + "é" })
        {
            SessionToken.TryParse(text, out _).ShouldBeFalse(text);
        }

        for (var i = 0; i < 20_000; i++)
        {
            var characters = valid.ToCharArray();
            characters[random.Next(characters.Length)] = (char)random.Next(0x10000);
            var text = random.Next(3) == 0 ? new string(characters[..random.Next(characters.Length)]) : new string(characters);
            if (SessionToken.TryParse(text, out var token))
            {
                token.Value.ShouldBe(text);
                text.ShouldAllBe(c => char.IsAsciiLetterOrDigit(c) || c == '-' || c == '_' || c == '.');
            }

            SessionId.TryParse(text, out _).ShouldBeFalse();
        }
    }

    [Fact]
    public void SessionId_ReadsItselfBack_AndRefusesTheRest()
    {
        var id = SessionToken.Create(User).Id;

        SessionId.Parse(id.ToString()).ShouldBe(id);
        Should.Throw<FormatException>(() => SessionId.Parse("short")).Message.ShouldNotContain("short");
        SessionId.TryParse(id.Value[..21] + "+", out _).ShouldBeFalse();
    }
}
