using Maintenance.WebHost.Profile.Avatars;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Tests.Profile;

public sealed class AvatarTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("avatars");

    public void Dispose() => folder.Delete(recursive: true);

    public static TheoryData<byte[], string, int, int> Known => new()
    {
        { Pictures.Png(320, 200), "image/png", 320, 200 },
        { Pictures.Png(70_000, 1), "image/png", 70_000, 1 },
        { Pictures.Jpeg(640, 480), "image/jpeg", 640, 480 },
        { Pictures.WebP("VP8 ", 0, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xC8, 0x00), "image/webp", 320, 200 },
        { Pictures.WebP("VP8L", 0x2F, 0x3F, 0xC1, 0x31, 0x00), "image/webp", 320, 200 },
        { Pictures.WebP("VP8X", 0, 0, 0, 0, 0x3F, 0x01, 0x00, 0xC7, 0x00, 0x00), "image/webp", 320, 200 },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Read_KnowsTypeAndSizeByContent(byte[] bytes, string type, int width, int height)
    {
        var image = AvatarImage.Read(bytes).ShouldNotBeNull();

        (image.ContentType, image.Width, image.Height).ShouldBe((type, width, height));
    }

    public static TheoryData<byte[]> Unknown => new()
    {
        Array.Empty<byte>(),
        "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"u8.ToArray(),
        "GIF89a plus many more bytes to be longer than any head that is read"u8.ToArray(),
        "<html><script>alert(1)</script></html>"u8.ToArray(),
        Pictures.Png(0, 10),
        Pictures.Png(-1, 10),
        Pictures.Png(10, 10)[..20],
        Pictures.Jpeg(0, 10),
        Pictures.Jpeg(10, 10, frame: 0xDA),
        new byte[] { 0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
        new byte[] { 0xFF, 0xD8, 0xFF },
        Pictures.WebP("VP8 ", 1, 2, 3, 4),
        Pictures.WebP("EXIF", 1, 2, 3, 4),
    };

    [Theory]
    [MemberData(nameof(Unknown))]
    public void Read_RefusesWhatIsNoPicture(byte[] bytes) => AvatarImage.Read(bytes).ShouldBeNull();

    [Fact]
    public void Read_NeverThrows_WhateverTheBytes()
    {
        var random = new Random(4711);
        byte[][] seeds = [Pictures.Png(9, 9), Pictures.Jpeg(9, 9), Pictures.WebP("VP8X"), Pictures.WebP("VP8L", 0x2F), Pictures.WebP("VP8 ", 0, 0, 0, 0x9D, 0x01, 0x2A)];
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = seeds[i % seeds.Length].ToArray();
            for (var j = random.Next(6); j > 0; j--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            refused += AvatarImage.Read(bytes.AsSpan(0, random.Next(bytes.Length + 1))) is null ? 1 : 0;
        }

        refused.ShouldBeInRange(1_000, 19_000);
    }

    [Fact]
    public async Task Store_GivesBackWhatItKept_UntilItIsDeleted()
    {
        var store = Store();
        var bytes = Pictures.Jpeg(3, 4);

        var name = await store.SaveAsync(AvatarImage.Read(bytes)!, bytes, CancellationToken.None);

        name.ShouldMatch("^[0-9a-f]{32}\\.jpg$");
        var avatar = store.Open(name).ShouldNotBeNull();
        avatar.ContentType.ShouldBe("image/jpeg");
        using (var copy = new MemoryStream())
        {
            await avatar.Content.CopyToAsync(copy);
            copy.ToArray().ShouldBe(bytes);
            await avatar.Content.DisposeAsync();
        }

        Directory.GetFiles(folder.FullName, "*", SearchOption.AllDirectories).Length.ShouldBe(1);
        store.Delete(name);
        store.Open(name).ShouldBeNull();
        store.Delete(name);
    }

    [Theory]
    [InlineData("../../secret.png")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("00000000000000000000000000000000.svg")]
    [InlineData("00000000000000000000000000000000.png\n")]
    [InlineData("00000000000000000000000000000000.png.part")]
    public void Store_OpensAndDeletesNothingOutsideItsNames(string name)
    {
        File.WriteAllText(Path.Combine(folder.Parent!.FullName, "secret.png"), "secret");
        var store = Store();

        store.Open(name).ShouldBeNull();
        Should.NotThrow(() => store.Delete(name));
        File.Exists(Path.Combine(folder.Parent!.FullName, "secret.png")).ShouldBeTrue();
    }

    private DiskAvatarStore Store() => new(Options.Create(new AvatarOptions { Folder = "kept" }), new FolderEnvironment(folder.FullName));

    private sealed class FolderEnvironment(string root) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "Development";

        public string ApplicationName { get; set; } = "test";

        public string ContentRootPath { get; set; } = root;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
