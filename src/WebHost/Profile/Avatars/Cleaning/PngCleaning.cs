using System.Buffers.Binary;
using System.Text;

namespace Maintenance.WebHost.Profile.Avatars.Cleaning;

/// <summary>PNG: a row of chunks, each with its length, type, content and checksum.</summary>
internal static class PngCleaning
{
    private const int SignatureBytes = 8;
    private const int FrameBytes = 12;

    // The picture, its colours, and animation. Not: tEXt, zTXt, iTXt (XMP), eXIf, tIME, and what programs invent.
    private static readonly HashSet<string> Kept = new(StringComparer.Ordinal)
    {
        "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI", "sBIT", "bKGD", "pHYs", "acTL", "fcTL", "fdAT",
    };

    public static byte[]? Clean(ReadOnlySpan<byte> bytes)
    {
        using var clean = new MemoryStream(bytes.Length);
        clean.Write(bytes[..SignatureBytes]);
        var (pixels, orientation) = (false, 1);
        var rest = bytes[SignatureBytes..];
        while (rest.Length >= FrameBytes)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (length > rest.Length - FrameBytes)
            {
                return null;
            }

            var chunk = rest[..((int)length + FrameBytes)];
            rest = rest[chunk.Length..];
            var type = Encoding.ASCII.GetString(chunk[4..8]);
            if (type == "eXIf")
            {
                orientation = ExifOrientation.Read(chunk[8..^4]);
            }
            else if (type == "IDAT" && !pixels && orientation > 1)
            {
                WriteOrientation(clean, orientation);
                orientation = 1;
            }

            pixels |= type == "IDAT";
            if (Kept.Contains(type))
            {
                clean.Write(chunk);
            }

            if (type == "IEND")
            {
                return pixels ? clean.ToArray() : null;
            }
        }

        return null;
    }

    private static void WriteOrientation(MemoryStream clean, int orientation)
    {
        byte[] content = [.. "eXIf"u8, .. ExifOrientation.Write(orientation)];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length - 4);
        clean.Write(number);
        clean.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Checksum(content));
        clean.Write(number);
    }

    // CRC-32 as PNG has it. Of 30 bytes once a picture; no table is worth it.
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
