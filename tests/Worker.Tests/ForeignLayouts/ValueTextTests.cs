using System.Text;
using Maintenance.Worker.ForeignLayouts;

namespace Maintenance.Worker.Tests.ForeignLayouts;

public sealed class ValueTextTests
{
    [Theory]
    [InlineData(ValueEncoding.Text, "abc", "616263")]
    [InlineData(ValueEncoding.Json, "abc", "2261626322")]
    [InlineData(ValueEncoding.Java, "abc", "ACED0005740003616263")]
    [InlineData(ValueEncoding.Java, "ä", "ACED0005740002C3A4")]
    public void Text_IsWrittenAndReadAsThatProgramDoes(ValueEncoding encoding, string text, string hex)
    {
        Convert.ToHexString(ValueText.Encode(text, encoding)!).ShouldBe(hex);
        ValueText.Decode(Convert.FromHexString(hex), encoding).ShouldBe(text);
    }

    [Theory]
    [InlineData(ValueEncoding.Text, "FF")]
    [InlineData(ValueEncoding.Json, "616263")]
    [InlineData(ValueEncoding.Json, "7B7D")]
    [InlineData(ValueEncoding.Java, "616263")]
    [InlineData(ValueEncoding.Java, "ACED000574")]
    [InlineData(ValueEncoding.Java, "ACED000574000461")]
    [InlineData(ValueEncoding.Java, "ACED0005740001FF")]
    [InlineData(ValueEncoding.Java, "ACED000573720003616263")]
    public void Decode_RefusesOtherBytes(ValueEncoding encoding, string hex) =>
        ValueText.Decode(Convert.FromHexString(hex), encoding).ShouldBeNull();

    [Fact]
    public void Encode_RefusesWhatJavaWritesOtherwise()
    {
        ValueText.Encode("a\0b", ValueEncoding.Java).ShouldBeNull();
        ValueText.Encode("\U0001F600", ValueEncoding.Java).ShouldBeNull();
        ValueText.Encode(new string('a', 70_000), ValueEncoding.Java).ShouldBeNull();
    }

    [Fact]
    public void Decode_OfNothing_IsNothing() => ValueText.Decode(null, ValueEncoding.Text).ShouldBeNull();

    [Fact]
    public void Session_IsReadFromAMember_AndAMemberMadeOfIt()
    {
        var space = new KeySpace("hashes", new KeySpaceOptions { Sessions = "app:s:{session}", Index = "app:u:{user}", Member = "app:s:{session}" });
        space.SessionOf(Encoding.UTF8.GetBytes("app:s:abc")).ShouldBe("abc");
        space.SessionOf(Encoding.UTF8.GetBytes("abc")).ShouldBeNull();
        space.MemberOf("abc").ShouldBe(Encoding.UTF8.GetBytes("app:s:abc"));
    }
}
