namespace Maintenance.WebHost.Profile.Avatars.Cleaning;

/// <summary>
/// Takes out of a picture what is not the picture: where and when it was taken, by which camera, texts, previews, and whatever hangs behind its end. The
/// pixels are not touched. Only parts that are known to be harmless stay, so a kind of metadata that nobody has thought of goes too.
/// </summary>
internal static class AvatarCleaning
{
    /// <summary>The picture without its metadata; null when it is damaged.</summary>
    public static byte[]? Clean(AvatarImage image, ReadOnlySpan<byte> bytes) => image.Extension switch
    {
        "png" => PngCleaning.Clean(bytes),
        "jpg" => JpegCleaning.Clean(bytes),
        "webp" => WebPCleaning.Clean(bytes),
        _ => null,
    };
}
