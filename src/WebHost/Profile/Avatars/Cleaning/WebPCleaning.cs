using System.Buffers.Binary;
using System.Text;

namespace Maintenance.WebHost.Profile.Avatars.Cleaning;

/// <summary>WebP: a RIFF file, chunks with a name, a length, and a byte of padding when that is odd.</summary>
internal static class WebPCleaning
{
    private const int FileHeadBytes = 12;
    private const int ChunkHeadBytes = 8;
    private const int FrameHeadBytes = 16;
    private const byte ExifFlag = 0x08;
    private const byte XmpFlag = 0x04;

    private static readonly HashSet<string> Kept = new(StringComparer.Ordinal) { "VP8X", "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP" };
    private static readonly HashSet<string> KeptInFrames = new(StringComparer.Ordinal) { "VP8 ", "VP8L", "ALPH" };

    public static byte[]? Clean(ReadOnlySpan<byte> bytes)
    {
        // What the head says is the file; what hangs behind it is not.
        var length = (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) + ChunkHeadBytes;
        if (length < FileHeadBytes || length > bytes.Length)
        {
            return null;
        }

        using var clean = new MemoryStream(bytes.Length);
        clean.Write(bytes[..FileHeadBytes]);
        var (pixels, orientation) = (false, 1);
        long flags = -1;
        var rest = bytes[FileHeadBytes..(int)length];
        while (!rest.IsEmpty)
        {
            if (!Next(ref rest, out var name, out var content))
            {
                return null;
            }

            if (name == "EXIF")
            {
                // Some programs put JPEG's head before it.
                orientation = ExifOrientation.Read(content.StartsWith("Exif\0\0"u8) ? content[6..] : content);
            }

            if (!Kept.Contains(name))
            {
                continue;
            }

            if (name == "VP8X")
            {
                flags = clean.Position + ChunkHeadBytes;
            }

            pixels |= name is "VP8 " or "VP8L" or "ANMF";
            if (name != "ANMF")
            {
                Write(clean, name, content);
            }
            else if (Frame(content) is { } frame)
            {
                Write(clean, name, frame);
            }
            else
            {
                return null;
            }
        }

        return pixels ? Finish(clean, flags, orientation) : null;
    }

    private static byte[] Finish(MemoryStream clean, long flags, int orientation)
    {
        // Without the extended head there is no place for Exif, and nobody looks for it.
        var turned = flags >= 0 && orientation > 1;
        if (turned)
        {
            Write(clean, "EXIF", ExifOrientation.Write(orientation));
        }

        var file = clean.ToArray();
        if (flags >= 0 && flags < file.Length)
        {
            file[flags] = (byte)((file[flags] & ~(ExifFlag | XmpFlag)) | (turned ? ExifFlag : 0));
        }

        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), (uint)(file.Length - ChunkHeadBytes));
        return file;
    }

    private static byte[]? Frame(ReadOnlySpan<byte> content)
    {
        if (content.Length < FrameHeadBytes)
        {
            return null;
        }

        using var clean = new MemoryStream(content.Length);
        clean.Write(content[..FrameHeadBytes]);
        var rest = content[FrameHeadBytes..];
        while (!rest.IsEmpty)
        {
            if (!Next(ref rest, out var name, out var part))
            {
                return null;
            }

            if (KeptInFrames.Contains(name))
            {
                Write(clean, name, part);
            }
        }

        return clean.ToArray();
    }

    private static bool Next(ref ReadOnlySpan<byte> rest, out string name, out ReadOnlySpan<byte> content)
    {
        name = "";
        content = [];
        if (rest.Length < ChunkHeadBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
        if (length > rest.Length - ChunkHeadBytes)
        {
            return false;
        }

        name = Encoding.ASCII.GetString(rest[..4]);
        content = rest[ChunkHeadBytes..((int)length + ChunkHeadBytes)];
        rest = rest[Math.Min(rest.Length, ChunkHeadBytes + (int)length + (int)(length & 1))..];
        return true;
    }

    private static void Write(MemoryStream clean, string name, ReadOnlySpan<byte> content)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
        clean.Write(Encoding.ASCII.GetBytes(name));
        clean.Write(length);
        clean.Write(content);
        if ((content.Length & 1) == 1)
        {
            clean.WriteByte(0);
        }
    }
}
