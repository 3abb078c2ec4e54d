using QRCoder;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>How a key gets into an authenticator app.</summary>
internal static class AuthenticatorUri
{
    /// <summary>The <c>otpauth</c> URI (Key Uri Format): issuer and account name are shown in the app.</summary>
    public static string Of(string issuer, string account, string key)
    {
        var (name, user) = (Uri.EscapeDataString(issuer), Uri.EscapeDataString(account));
        return $"otpauth://totp/{name}:{user}?secret={key}&issuer={name}&algorithm=SHA1&digits=6&period={Totp.StepSeconds}";
    }

    /// <summary>A QR code of it: a PNG as a data URI, which a page shows without another request.</summary>
    public static string QrCode(string uri) => $"data:image/png;base64,{Convert.ToBase64String(Picture(uri))}";

    internal static byte[] Picture(string uri)
    {
        using var generator = new QRCodeGenerator();
        using var data = generator.CreateQrCode(uri, QRCodeGenerator.ECCLevel.M);
        using var png = new PngByteQRCode(data);
        return png.GetGraphic(pixelsPerModule: 5);
    }
}
