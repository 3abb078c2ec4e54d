using System.Buffers.Binary;

namespace Maintenance.WebHost.Tests.Profile;

/// <summary>Heads of pictures, as small as they can be.</summary>
internal static class Pictures
{
    public static byte[] Png(int width, int height)
    {
        var bytes = new byte[64];
        new byte[] { 0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52 }.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), height);
        return bytes;
    }

    public static byte[] Jpeg(int width, int height, byte frame = 0xC2)
    {
        byte[] head = [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xC4, 0, 3, 9, 0xFF, frame, 0, 17, 8, 0, 0, 0, 0, 3];
        var bytes = new byte[64];
        head.CopyTo(bytes, 0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(19), (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(21), (ushort)width);
        return bytes;
    }

    public static byte[] WebP(string chunk, params byte[] data) =>
        [.. "RIFF"u8, 60, 0, 0, 0, .. "WEBP"u8, .. System.Text.Encoding.ASCII.GetBytes(chunk), 40, 0, 0, 0, .. data, .. new byte[40]];
}
