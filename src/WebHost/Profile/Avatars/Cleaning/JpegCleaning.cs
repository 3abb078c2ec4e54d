using System.Buffers.Binary;

namespace Maintenance.WebHost.Profile.Avatars.Cleaning;

/// <summary>JPEG: segments with a marker each; behind a start of scan the picture's data up to the next marker.</summary>
internal static class JpegCleaning
{
    private const byte StartOfScan = 0xDA;
    private const byte EndOfImage = 0xD9;
    private const byte App0 = 0xE0;
    private const byte App1 = 0xE1;
    private const byte App2 = 0xE2;
    private const byte App14 = 0xEE;
    private const int JfifBytes = 14;

    private static ReadOnlySpan<byte> ExifHead => "Exif\0\0"u8;

    public static byte[]? Clean(ReadOnlySpan<byte> bytes)
    {
        using var clean = new MemoryStream(bytes.Length);
        clean.Write(bytes[..2]);
        var (orientation, scans) = (OrientationOf(bytes), 0);
        var rest = bytes[2..];
        while (Next(ref rest, out var marker, out var content))
        {
            // Exif stands before everything but JFIF's own segment.
            if (orientation > 1 && marker != App0)
            {
                Write(clean, App1, [.. ExifHead, .. ExifOrientation.Write(orientation)]);
                orientation = 1;
            }

            switch (marker)
            {
                case EndOfImage:
                    return scans > 0 ? End(clean) : null;
                case App0 when content.Length >= JfifBytes && content.StartsWith("JFIF\0"u8):
                    // The last two bytes are the size of a preview, which goes.
                    Write(clean, App0, [.. content[..(JfifBytes - 2)], 0, 0]);
                    break;
                case App2 when content.StartsWith("ICC_PROFILE\0"u8):
                case App14 when content.StartsWith("Adobe"u8):
                case StartOfScan:
                    Write(clean, marker, content);
                    break;
                // Comments, and segments of programs: Exif, XMP, IPTC, previews, ...
                case >= App0 and <= 0xEF or 0xFE:
                    break;
                default:
                    Write(clean, marker, content);
                    break;
            }

            if (marker == StartOfScan)
            {
                scans++;
                var length = ScanLength(rest);
                clean.Write(rest[..length]);
                rest = rest[length..];
            }
        }

        // Cut off behind a scan: what there is can be shown.
        return scans > 0 && rest.IsEmpty ? End(clean) : null;
    }

    private static byte[] End(MemoryStream clean)
    {
        clean.Write([0xFF, EndOfImage]);
        return clean.ToArray();
    }

    private static int OrientationOf(ReadOnlySpan<byte> bytes)
    {
        var rest = bytes[2..];
        while (Next(ref rest, out var marker, out var content) && marker is not (StartOfScan or EndOfImage))
        {
            if (marker == App1 && content.StartsWith(ExifHead))
            {
                return ExifOrientation.Read(content[ExifHead.Length..]);
            }
        }

        return 1;
    }

    // False: the end, or no segment.
    private static bool Next(ref ReadOnlySpan<byte> rest, out byte marker, out ReadOnlySpan<byte> content)
    {
        marker = 0;
        content = [];
        if (rest.Length < 2 || rest[0] != 0xFF)
        {
            return false;
        }

        while (rest.Length > 2 && rest[1] == 0xFF)
        {
            // Fill bytes.
            rest = rest[1..];
        }

        marker = rest[1];
        if (marker == EndOfImage)
        {
            rest = [];
            return true;
        }

        if (marker is < 0xC0 or (>= 0xD0 and <= 0xD8) or 0xFF || rest.Length < 4)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        if (length < 2 || length + 2 > rest.Length)
        {
            return false;
        }

        content = rest[4..(length + 2)];
        rest = rest[(length + 2)..];
        return true;
    }

    // In the data FF is followed by 0, or by one of the eight marks of a restart.
    private static int ScanLength(ReadOnlySpan<byte> data)
    {
        for (var at = 0; at + 1 < data.Length; at++)
        {
            if (data[at] == 0xFF && data[at + 1] is not (0 or 0xFF or (>= 0xD0 and <= 0xD7)))
            {
                return at;
            }
        }

        return data.Length;
    }

    private static void Write(MemoryStream clean, byte marker, ReadOnlySpan<byte> content)
    {
        Span<byte> head = [0xFF, marker, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)(content.Length + 2));
        clean.Write(head);
        clean.Write(content);
    }
}
