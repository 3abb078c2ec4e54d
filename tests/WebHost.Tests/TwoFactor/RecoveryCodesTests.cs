using Maintenance.WebHost.Profile.Avatars;
using Maintenance.WebHost.TwoFactor;

namespace Maintenance.WebHost.Tests.TwoFactor;

public sealed class RecoveryCodesTests
{
    [Fact]
    public void Create_MakesTenCodesOf120RandomBits_ThatCannotBeMistaken()
    {
        var codes = Enumerable.Range(0, 100).SelectMany(_ => RecoveryCodes.Create()).ToList();

        codes.Count.ShouldBe(1000);
        codes.ShouldBeUnique();
        codes.ShouldAllBe(code => System.Text.RegularExpressions.Regex.IsMatch(code, "^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$"));
        // Each of the 32 characters carries its 5 bits.
        codes.SelectMany(code => code.Replace("-", "", StringComparison.Ordinal)).Distinct().Count().ShouldBe(32);
    }

    [Fact]
    public void Normalize_TakesWhatPeopleTypeForWhatTheyMean()
    {
        var code = RecoveryCodes.Create()[0];

        RecoveryCodes.Normalize(code.ToLowerInvariant().Replace('-', ' ')).ShouldBe(RecoveryCodes.Normalize(code));
        RecoveryCodes.Normalize("oil-OIL").ShouldBe("011011");
    }

    [Fact]
    public void Uri_NamesIssuerAccountAndKey_AndComesAsAPicture()
    {
        var uri = AuthenticatorUri.Of("Acme & Co", "anna+1@example.org", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");

        uri.ShouldBe(
            "otpauth://totp/Acme%20%26%20Co:anna%2B1%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%20%26%20Co&algorithm=SHA1&digits=6&period=30");
        var picture = AvatarImage.Read(AuthenticatorUri.Picture(uri)).ShouldNotBeNull();
        picture.ContentType.ShouldBe("image/png");
        picture.Width.ShouldBe(picture.Height);
        // 4 × version + 17 modules of 5 pixels, and a border of 4 modules on each side.
        ((picture.Width / 5) - 8 - 17).ShouldBeGreaterThan(0);
        (((picture.Width / 5) - 8 - 17) % 4).ShouldBe(0);
    }
}
