using Maintenance.WebHost.TwoFactor;

namespace Maintenance.WebHost.Tests.TwoFactor;

public sealed class TotpTests
{
    // Appendix B of RFC 6238, SHA-1, the last six of its eight digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Code_IsThatOfTheStandard(long seconds, string code) =>
        Totp.Code(Totp.ToBase32("12345678901234567890"u8), DateTimeOffset.FromUnixTimeSeconds(seconds)).ShouldBe(code);

    [Fact]
    public void StepOf_AcceptsTheStepsBesideTheCurrentOne_AndNoOther()
    {
        // Not a new key each time: of some keys two of these steps have the same code.
        var (key, now) = (Totp.ToBase32("12345678901234567890"u8), DateTimeOffset.FromUnixTimeSeconds(1_800_000_015));
        var step = now.ToUnixTimeSeconds() / Totp.StepSeconds;

        for (var away = -3; away <= 3; away++)
        {
            Totp.StepOf(key, Totp.Code(key, now.AddSeconds(away * Totp.StepSeconds)), now).ShouldBe(Math.Abs(away) <= 1 ? step + away : null, $"{away}");
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("12345")]
    [InlineData("1234567")]
    [InlineData("12345a")]
    [InlineData("１２３４５６")]
    public void StepOf_RefusesWhatIsNoCode(string? code) => Totp.StepOf(Totp.NewKey(), code, DateTimeOffset.UnixEpoch.AddYears(50)).ShouldBeNull();

    [Fact]
    public void NewKey_Has160Bits_AndIsReadBack()
    {
        var key = Totp.NewKey();
        Totp.TryFromBase32(key, out var bytes).ShouldBeTrue();
        bytes.Length.ShouldBe(20);
        Totp.ToBase32(bytes).ShouldBe(key);
        Totp.NewKey().ShouldNotBe(key);
    }
}
