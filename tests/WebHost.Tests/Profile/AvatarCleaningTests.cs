using System.Buffers.Binary;
using System.Text;
using Maintenance.WebHost.Profile.Avatars;
using Maintenance.WebHost.Profile.Avatars.Cleaning;

namespace Maintenance.WebHost.Tests.Profile;

/// <summary>A picture leaves without what it says of place, time and camera, and otherwise byte by byte as it came.</summary>
public sealed class AvatarCleaningTests
{
    private const string Place = "46.9480N 7.4474E";
    private const string Xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>46.9480N 7.4474E</x:xmpmeta>";

    [Fact]
    public void Png_LosesTextsExifAndWhatHangsBehind_AndNothingElse()
    {
        var png = RealPictures.Png;
        // Behind the head, before the end, behind the end.
        byte[] told =
        [
            .. png[..33], .. PngChunk("eXIf", Exif(1)), .. PngChunk("tEXt", Encoding.Latin1.GetBytes($"Comment\0{Place}")), .. PngChunk("zTXt", [1, 2, 3]),
            .. png[33..^12], .. PngChunk("iTXt", Encoding.UTF8.GetBytes($"XML:com.adobe.xmp\0\0\0\0\0{Xmp}")), .. PngChunk("tIME", new byte[7]), .. PngChunk("prVt", "camera"u8.ToArray()),
            .. png[^12..], .. Encoding.UTF8.GetBytes(Place),
        ];

        Clean(told).ShouldBe(png);
        Clean(png).ShouldBe(png);
    }

    [Fact]
    public void Jpeg_LosesExifXmpCommentsAndPreviews_AndNothingElse()
    {
        var jpeg = RealPictures.Jpeg;
        byte[] told =
        [
            .. jpeg[..20], .. Segment(0xE0, [.. "JFXX\0"u8, 0x10, .. jpeg]), .. Segment(0xE1, [.. "Exif\0\0"u8, .. Exif(1)]),
            .. Segment(0xE1, [.. "http://ns.adobe.com/xap/1.0/\0"u8, .. Encoding.UTF8.GetBytes(Xmp)]), .. Segment(0xED, [.. "Photoshop 3.0\0"u8, .. Encoding.UTF8.GetBytes(Place)]),
            .. Segment(0xE2, [.. "MPF\0"u8, .. new byte[40]]), .. Segment(0xFE, Encoding.UTF8.GetBytes(Place)),
            .. jpeg[20..], .. jpeg, .. Encoding.UTF8.GetBytes(Place),
        ];

        Clean(told).ShouldBe(jpeg);
        Clean(jpeg).ShouldBe(jpeg);
    }

    [Fact]
    public void Jpeg_LosesThePreviewInItsFirstSegment()
    {
        var jpeg = RealPictures.Jpeg;
        // One pixel of preview: three bytes.
        byte[] told = [.. jpeg[..2], .. Segment(0xE0, [.. jpeg[6..18], 1, 1, 9, 9, 9]), .. jpeg[20..]];

        Clean(told).ShouldBe(jpeg);
    }

    [Fact]
    public void WebP_LosesExifXmpAndUnknownChunks_AndNothingElse()
    {
        var webP = RealPictures.WebP;
        byte[] told =
        [
            .. webP, .. RiffChunk("EXIF", [.. "Exif\0\0"u8, .. Exif(1)]), .. RiffChunk("XMP ", Encoding.UTF8.GetBytes(Xmp)), .. RiffChunk("note", Encoding.UTF8.GetBytes(Place + "!")),
        ];
        told[20] |= 0x0C;
        BinaryPrimitives.WriteInt32LittleEndian(told.AsSpan(4), told.Length - 8);

        Clean([.. told, .. Encoding.UTF8.GetBytes(Place)]).ShouldBe(webP);
        Clean(webP).ShouldBe(webP);
    }

    [Fact]
    public void Frames_OfAnAnimatedWebP_AreCleanedToo()
    {
        var frame = (byte[])[.. new byte[16], .. RiffChunk("VP8L", [0x2F, 1, 2, 3, 4])];
        byte[] Animated(byte[] content) => Riff([.. RiffChunk("VP8X", [0x02, 0, 0, 0, 15, 0, 0, 11, 0, 0]), .. RiffChunk("ANIM", new byte[6]), .. RiffChunk("ANMF", content)]);

        Clean(Animated([.. frame, .. RiffChunk("EXIF", Exif(1))])).ShouldBe(Animated(frame));
    }

    [Theory]
    [InlineData("png")]
    [InlineData("jpg")]
    [InlineData("webp")]
    public void Orientation_Stays_AndNothingElseOfExif(string type)
    {
        var told = type switch
        {
            "png" => [.. RealPictures.Png[..33], .. PngChunk("eXIf", Exif(6)), .. RealPictures.Png[33..]],
            "jpg" => [.. RealPictures.Jpeg[..20], .. Segment(0xE1, [.. "Exif\0\0"u8, .. Exif(6)]), .. RealPictures.Jpeg[20..]],
            _ => WithFlags([.. RealPictures.WebP, .. RiffChunk("EXIF", Exif(6))], 0x08),
        };

        var clean = Clean(told).ShouldNotBeNull();

        var exif = clean.AsSpan(clean.AsSpan().IndexOf("MM\0*"u8));
        ExifOrientation.Read(exif).ShouldBe(6);
        clean.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Place)).ShouldBe(-1);
        clean.AsSpan().IndexOf("Camera"u8).ShouldBe(-1);
        AvatarImage.Read(clean).ShouldNotBeNull().ShouldSatisfyAllConditions(image => image.Width.ShouldBe(16), image => image.Height.ShouldBe(12));
        Clean(clean).ShouldBe(clean);
        if (type == "png")
        {
            // The checksum of this very chunk, as zlib computes it.
            clean.AsSpan(clean.AsSpan().IndexOf("eXIf"u8) + 4 + 26, 4).ToArray().ShouldBe([0xD6, 0x67, 0x4B, 0x69]);
        }
    }

    [Fact]
    public void Jpeg_OfSeveralScans_AndWithRestarts_StaysWhole()
    {
        byte[] jpeg = [.. RealPictures.Jpeg[..^2], 0xFF, 0xD0, 1, 2, 0xFF, 0, 3, .. Segment(0xC4, [1, 2, 3]), .. Segment(0xDA, [1, 1, 0, 0, 63, 0]), 9, 8, 7, 0xFF, 0xD9];
        byte[] told = [.. RealPictures.Jpeg[..^2], 0xFF, 0xD0, 1, 2, 0xFF, 0, 3, .. Segment(0xFE, Encoding.UTF8.GetBytes(Place)), .. jpeg[(RealPictures.Jpeg.Length + 5)..]];

        Clean(told).ShouldBe(jpeg);
    }

    [Fact]
    public void Damaged_IsRefused()
    {
        Clean(RealPictures.Png[..^12]).ShouldBeNull();
        Clean([.. RealPictures.Png[..33], .. RealPictures.Png[^12..]]).ShouldBeNull();
        Clean(RealPictures.Jpeg[..670]).ShouldBeNull();
        Clean([.. RealPictures.Jpeg[..2], .. Segment(0xC0, RealPictures.Jpeg[..17]), 0xFF, 0xD9]).ShouldBeNull();
        Clean(RealPictures.WebP[..^4]).ShouldBeNull();
        Clean(Riff(RiffChunk("VP8X", [0, 0, 0, 0, 15, 0, 0, 11, 0, 0, .. new byte[16]]))).ShouldBeNull();
    }

    [Fact]
    public void Clean_NeverThrows_AndWhatItCleanedIsClean_WhateverTheBytes()
    {
        var random = new Random(4711);
        byte[][] seeds =
        [
            [.. RealPictures.Png[..33], .. PngChunk("eXIf", Exif(6)), .. RealPictures.Png[33..]],
            [.. RealPictures.Jpeg[..20], .. Segment(0xE1, [.. "Exif\0\0"u8, .. Exif(6)]), .. RealPictures.Jpeg[20..]],
            WithFlags([.. RealPictures.WebP, .. RiffChunk("EXIF", Exif(6))], 0x08),
        ];
        var cleaned = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = seeds[i % seeds.Length].ToArray();
            for (var j = random.Next(6); j > 0; j--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            if (random.Next(3) == 0)
            {
                bytes = bytes[..random.Next(bytes.Length + 1)];
            }

            if (AvatarImage.Read(bytes) is { } image && AvatarCleaning.Clean(image, bytes) is { } clean)
            {
                cleaned++;
                AvatarCleaning.Clean(image, clean).ShouldBe(clean);
            }
        }

        cleaned.ShouldBeGreaterThan(500);
    }

    private static byte[]? Clean(byte[] bytes) => AvatarCleaning.Clean(AvatarImage.Read(bytes).ShouldNotBeNull(), bytes);

    // As a telephone writes it: camera, orientation, and a pointer to the position.
    private static byte[] Exif(ushort orientation)
    {
        byte[] Entry(ushort tag, ushort type, uint count, uint value)
        {
            var entry = new byte[12];
            BinaryPrimitives.WriteUInt16LittleEndian(entry, tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(2), type);
            BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(4), count);
            BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(8), value);
            return entry;
        }

        return
        [
            .. "II"u8, 42, 0, 8, 0, 0, 0,
            3, 0, .. Entry(0x010F, 2, 6, 50), .. Entry(0x0112, 3, 1, orientation), .. Entry(0x8825, 4, 1, 57), 0, 0, 0, 0,
            .. "Camera\0"u8,
            1, 0, .. Entry(0x001D, 2, (uint)Place.Length, 75), 0, 0, 0, 0,
            .. Encoding.ASCII.GetBytes(Place),
        ];
    }

    private static byte[] PngChunk(string type, byte[] content)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, content.Length);
        return [.. length, .. Encoding.ASCII.GetBytes(type), .. content, 0, 0, 0, 0];
    }

    private static byte[] Segment(byte marker, byte[] content) => [0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];

    private static byte[] RiffChunk(string name, byte[] content)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, content.Length);
        return [.. Encoding.ASCII.GetBytes(name), .. length, .. content, .. new byte[content.Length & 1]];
    }

    private static byte[] Riff(byte[] chunks)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, chunks.Length + 4);
        return [.. "RIFF"u8, .. length, .. "WEBP"u8, .. chunks];
    }

    private static byte[] WithFlags(byte[] webP, byte flags)
    {
        webP[20] |= flags;
        BinaryPrimitives.WriteInt32LittleEndian(webP.AsSpan(4), webP.Length - 8);
        return webP;
    }
}
