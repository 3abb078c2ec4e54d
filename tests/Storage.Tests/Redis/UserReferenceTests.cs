using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tests.Redis;

public sealed class UserReferenceTests
{
    [Theory]
    [InlineData("42")]
    [InlineData("0d9f1a3e-3c0f-4b6e-9b57-0f1c2f9a6f11")]
    [InlineData("jürgen@例え.jp")]
    public void Of_IsTwelveBytesOfTheHashOfTheUtf8Id(string userId)
    {
        var expected = Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(userId)).AsSpan(0, 12));

        UserReference.Of(userId).Value.ShouldBe(expected);
        UserReference.Of(userId).Value.Length.ShouldBe(UserReference.Length);
        UserReference.Of(userId).ToTagged().ShouldBe($"{{{expected[..2]}}}{expected[2..]}");
    }

    [Fact]
    public void Of_RefusesWhatCannotBeAUserId()
    {
        Should.Throw<ArgumentException>(() => UserReference.Of(""));
        Should.Throw<ArgumentException>(() => UserReference.Of(new string('x', UserReference.MaxUserIdBytes + 1)));
        Should.Throw<ArgumentException>(() => UserReference.Of(new string('é', (UserReference.MaxUserIdBytes / 2) + 1)));
        Should.Throw<ArgumentException>(() => UserReference.Of("half a pair \ud800"));
        UserReference.Of(new string('é', UserReference.MaxUserIdBytes / 2)).Value.Length.ShouldBe(16);
    }

    [Fact]
    public void TryParse_ReadsBackBothSpellings()
    {
        var user = UserReference.Of("somebody");

        UserReference.TryParse(user.Value, out var plain).ShouldBeTrue();
        UserReference.TryParseTagged(user.ToTagged(), out var tagged).ShouldBeTrue();

        plain.ShouldBe(user);
        tagged.ShouldBe(user);
    }

    [Theory]
    [InlineData("")]
    [InlineData("AbcD3fGhIjKlMnO")]
    [InlineData("AbcD3fGhIjKlMnOpq")]
    [InlineData("AbcD3fGhIjKlMnO+")]
    [InlineData("AbcD3fGhIjKlMnO\u00e9")]
    [InlineData("AbcD3fGhIjKlMnO\0")]
    public void TryParse_RefusesWhatIsNotAReference(string text)
    {
        UserReference.TryParse(text, out _).ShouldBeFalse();
        UserReference.TryParseTagged(text.Length > 2 ? $"{{{text[..2]}}}{text[2..]}" : text, out _).ShouldBeFalse();
    }
}
