using System.Buffers.Binary;

namespace Maintenance.WebHost.Profile.Avatars;

/// <summary>What a picture is by its own bytes; what the client calls it is not asked.</summary>
/// <param name="ContentType">Type to serve it with.</param>
/// <param name="Extension">Extension of its file, without a dot.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
internal sealed record AvatarImage(string ContentType, string Extension, int Width, int Height)
{
    private static ReadOnlySpan<byte> PngHead => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Reads the head of a PNG, JPEG or WebP; null when it is none, or damaged.</summary>
    public static AvatarImage? Read(ReadOnlySpan<byte> bytes)
    {
        var image = bytes.StartsWith(PngHead) ? Png(bytes)
            : bytes is [0xFF, 0xD8, 0xFF, ..] ? Jpeg(bytes)
            : bytes.Length > 30 && bytes[..4].SequenceEqual("RIFF"u8) && bytes[8..12].SequenceEqual("WEBP"u8) ? WebP(bytes)
            : null;
        return image is { Width: > 0, Height: > 0 } ? image : null;
    }

    private static AvatarImage? Png(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 33 && bytes[12..16].SequenceEqual("IHDR"u8) && BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) == 13
            ? new AvatarImage("image/png", "png", Side(BinaryPrimitives.ReadUInt32BigEndian(bytes[16..])), Side(BinaryPrimitives.ReadUInt32BigEndian(bytes[20..])))
            : null;

    // Walks the segments up to the frame header, which has the size.
    private static AvatarImage? Jpeg(ReadOnlySpan<byte> bytes)
    {
        var at = 2;
        while (at + 9 < bytes.Length && bytes[at] == 0xFF)
        {
            var marker = bytes[at + 1];
            if (marker == 0xFF)
            {
                at++;
                continue;
            }

            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 2)..]);
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                return new AvatarImage(
                    "image/jpeg", "jpg", BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 7)..]), BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 5)..]));
            }

            if (length < 2 || marker is 0xD8 or 0xD9 or 0xDA)
            {
                return null;
            }

            at += 2 + length;
        }

        return null;
    }

    private static AvatarImage? WebP(ReadOnlySpan<byte> bytes)
    {
        var (width, height) = (0, 0);
        var chunk = bytes[12..16];
        var data = bytes[20..];
        if (chunk.SequenceEqual("VP8 "u8) && data is [_, _, _, 0x9D, 0x01, 0x2A, ..])
        {
            (width, height) = (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & 0x3FFF);
        }
        else if (chunk.SequenceEqual("VP8L"u8) && data[0] == 0x2F)
        {
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
            (width, height) = ((int)(bits & 0x3FFF) + 1, (int)((bits >> 14) & 0x3FFF) + 1);
        }
        else if (chunk.SequenceEqual("VP8X"u8))
        {
            (width, height) = ((data[4] | (data[5] << 8) | (data[6] << 16)) + 1, (data[7] | (data[8] << 8) | (data[9] << 16)) + 1);
        }

        return new AvatarImage("image/webp", "webp", width, height);
    }

    private static int Side(uint value) => value > int.MaxValue ? 0 : (int)value;
}
