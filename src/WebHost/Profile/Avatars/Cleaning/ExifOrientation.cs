using System.Buffers.Binary;

namespace Maintenance.WebHost.Profile.Avatars.Cleaning;

/// <summary>The one thing of Exif that a picture needs: which way up it is. Telephones turn no pixels, they say this.</summary>
internal static class ExifOrientation
{
    private const ushort Tag = 0x0112;
    private const ushort Short = 3;
    private const int EntryBytes = 12;

    /// <summary>Reads it from a TIFF block, which is what Exif is.</summary>
    /// <returns>2 to 8; 1 when it stands as it is, says nothing, or cannot be read.</returns>
    public static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8 || !(tiff[..2].SequenceEqual("II"u8) || tiff[..2].SequenceEqual("MM"u8)))
        {
            return 1;
        }

        var little = tiff[0] == (byte)'I';
        var start = little ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (start > tiff.Length - 2)
        {
            return 1;
        }

        var entries = tiff[(int)start..];
        var count = Number(entries, little);
        entries = entries[2..];
        for (var i = 0; i < count && entries.Length >= EntryBytes; i++, entries = entries[EntryBytes..])
        {
            if (Number(entries, little) == Tag)
            {
                var value = Number(entries[8..], little);
                return Number(entries[2..], little) == Short && value is >= 2 and <= 8 ? value : 1;
            }
        }

        return 1;
    }

    /// <summary>A TIFF block that says this and nothing else.</summary>
    public static byte[] Write(int orientation) =>
    [
        .. "MM"u8, 0, 42, 0, 0, 0, 8,
        0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0,
        0, 0, 0, 0,
    ];

    private static ushort Number(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
