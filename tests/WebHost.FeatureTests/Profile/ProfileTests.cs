using System.Buffers.Binary;
using System.Net.Http.Headers;
using System.Text;

namespace Maintenance.WebHost.FeatureTests.Profile;

[Collection(FeatureCollection.Name)]
public sealed class ProfileTests(FeatureHost host)
{
    [Fact]
    public async Task Profile_IsServedFromTheCache_AndForgottenWhenItChanges()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        (await client.GetAsync("/api/auth/profile")).Json.GetProperty("name").GetString().ShouldBe(user.Name);

        // Behind the host's back, so that only a cache can answer as before.
        await host.Database.ExecuteAsync("UPDATE users SET name = 'Changed' WHERE id = $1", user.Id);
        (await client.GetAsync("/api/auth/profile")).Json.GetProperty("name").GetString().ShouldBe(user.Name);

        var changed = await client.PutAsync("/api/auth/profile", new { name = "Bea", locale = "de-CH", timeZone = "Europe/Zurich" });
        changed.Status.ShouldBe(200, changed.Text);
        var profile = (await client.GetAsync("/api/auth/profile")).Json;
        profile.GetProperty("name").GetString().ShouldBe("Bea");
        profile.GetProperty("locale").GetString().ShouldBe("de-CH");
        profile.GetProperty("timeZone").GetString().ShouldBe("Europe/Zurich");
        profile.GetProperty("emailVerified").GetBoolean().ShouldBeTrue();
        (await host.FindAsync(user))!.Name.ShouldBe("Bea");
    }

    [Theory]
    [InlineData("", null, null, "name")]
    [InlineData("a\u0000b", null, null, "name")]
    [InlineData("Bea", "not a tag", null, "locale")]
    [InlineData("Bea", null, "../../etc/passwd", "timeZone")]
    public async Task Profile_RefusesWhatIsOutOfItsBounds_ByTheField(string name, string? locale, string? timeZone, string field)
    {
        var client = await host.SignedInAsync(await host.AccountAsync());

        var refused = await client.PutAsync("/api/auth/profile", new { name, locale, timeZone });

        refused.Status.ShouldBe(400, refused.Text);
        refused.Json.GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue(refused.Text);
    }

    [Fact]
    public async Task Avatar_IsGone_WithItsAccount()
    {
        var client = await host.SignedInAsync(await host.AccountAsync());
        var set = await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", Body(Png(64, 64), "image/png"));
        var url = set.Json.GetProperty("avatarUrl").GetString()!;
        (await host.Client().GetAsync(url)).Status.ShouldBe(200);

        (await client.SendAsync(HttpMethod.Delete, "/api/auth/account", System.Net.Http.Json.JsonContent.Create(new { password = FeatureHost.Password }))).Status.ShouldBe(204);

        (await host.Client().GetAsync(url)).Status.ShouldBe(404);
    }

    [Fact]
    public async Task Avatar_LeavesNoFile_WhenTheDatabaseDoesNotTakeItsName()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var name = $"refuse_{user.Id:N}";
        await host.Database.ExecuteAsync($"""
            CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = '{user.Id}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER {name} BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION {name}();
            """);
        var before = Files();

        (await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", Body(Png(64, 64), "image/png"))).Status.ShouldBe(500);

        await host.Database.ExecuteAsync($"DROP TRIGGER {name} ON users");
        Files().ShouldBe(before);

        string[] Files() => Directory.Exists(host.AvatarFolder) ? [.. Directory.GetFiles(host.AvatarFolder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];
    }

    [Fact]
    public async Task Avatar_IsKept_ServedWithItsRealTypeAndNosniff_AndReplaced()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);
        var picture = Png(64, 64);

        // The client may call it what it likes.
        var set = await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", Body(picture, "image/webp"));
        set.Status.ShouldBe(200, set.Text);
        var url = set.Json.GetProperty("avatarUrl").GetString()!;
        (await client.GetAsync("/api/auth/profile")).Json.GetProperty("avatarUrl").GetString().ShouldBe(url);

        var served = await host.Client().GetAsync(url);
        (served.Status, served.ContentType).ShouldBe((200, "image/png"));
        served.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        served.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("default-src 'none'");
        served.Headers.CacheControl!.ToString().ShouldContain("immutable");

        using var form = new MultipartFormDataContent { { Body(Png(32, 32), "image/png"), "file", "../../evil.html" } };
        var replaced = await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", form);
        replaced.Status.ShouldBe(200, replaced.Text);
        (await host.Client().GetAsync(url)).Status.ShouldBe(404);
        Directory.GetFiles(host.AvatarFolder, "*evil*", SearchOption.AllDirectories).ShouldBeEmpty();

        (await client.DeleteAsync("/api/auth/profile/avatar")).Status.ShouldBe(204);
        (await host.Client().GetAsync(replaced.Json.GetProperty("avatarUrl").GetString()!)).Status.ShouldBe(404);
        (await client.GetAsync("/api/auth/profile")).Json.GetProperty("avatarUrl").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public async Task Avatar_IsServedWithoutWhatItSaidOfPlaceAndTime()
    {
        var client = await host.SignedInAsync(await host.AccountAsync());
        var picture = Png(64, 64);
        byte[] told = [.. picture[..^12], .. Chunk("tEXt", Encoding.ASCII.GetBytes("Comment\0at home, 46.948 N 7.447 E")), .. picture[^12..], .. "behind the end"u8];

        var set = await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", Body(told, "image/png"));

        set.Status.ShouldBe(200, set.Text);
        using var http = new HttpClient();
        (await http.GetByteArrayAsync(new Uri(host.Address, set.Json.GetProperty("avatarUrl").GetString()))).ShouldBe(picture);
        var damaged = await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", Body(picture[..^20], "image/png"));
        (damaged.Status, damaged.Code).ShouldBe((415, "unsupported_image"));
    }

    [Fact]
    public async Task Avatar_IsRefused_ByContentAndBySize()
    {
        var user = await host.AccountAsync();
        var client = await host.SignedInAsync(user);

        async Task<Answer> Send(byte[] bytes) => await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", Body(bytes, "image/png"));

        (await Send(Encoding.UTF8.GetBytes("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))).Code.ShouldBe("unsupported_image");
        (await Send([])).Code.ShouldBe("unsupported_image");
        (await Send(Png(100_000, 100_000))).Status.ShouldBe(400);
        (await Send([.. Png(10, 10), .. new byte[2 * 1024 * 1024]])).Status.ShouldBe(413);
        (await Send([.. Png(10, 10), .. new byte[3 * 1024 * 1024]])).Status.ShouldBe(413);
        (await client.SendAsync(HttpMethod.Post, "/api/auth/profile/avatar", new StringContent("broken", Encoding.ASCII, new MediaTypeHeaderValue("multipart/form-data")))).Status.ShouldBe(400);
        (await host.FindAsync(user))!.Avatar.ShouldBeNull();
        (await Send([.. Png(10, 10), .. new byte[(2 * 1024 * 1024) - Png(10, 10).Length]])).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("..%2F..%2Fappsettings.json")]
    [InlineData("appsettings.json")]
    [InlineData("00000000000000000000000000000000.png")]
    public async Task Avatars_LeadNowhereElse(string name) => (await host.Client().GetAsync($"/api/auth/avatars/{name}")).Status.ShouldBe(404);

    /// <summary>The parts of a PNG in their order; nobody decodes the pixels.</summary>
    internal static byte[] Png(int width, int height)
    {
        var head = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(head, width);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), height);
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, .. Chunk("IHDR", head), .. Chunk("IDAT", [1, 2, 3]), .. Chunk("IEND", [])];
    }

    private static byte[] Chunk(string type, byte[] content)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, content.Length);
        return [.. length, .. Encoding.ASCII.GetBytes(type), .. content, 0, 0, 0, 0];
    }

    private static ByteArrayContent Body(byte[] bytes, string type) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
}
