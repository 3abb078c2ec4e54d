using System.Text.Json;

namespace Maintenance.Deploy.ChartTests.Images;

/// <summary>The folders that <c>./dev publish</c> makes, and that the images copy.</summary>
public sealed class PublishTests(PublishedPrograms published) : IClassFixture<PublishedPrograms>
{
    [Fact]
    public async Task PublishedWorker_ChecksARealRedis_WithoutAnInstalledRuntime()
    {
        await using var redis = await RedisServer.StartAsync(new RedisServerOptions { MaxMemoryPolicy = "noeviction" });

        await using var check = ChildProcess.Start(published.PathOf("worker", "Maintenance.Worker"), ["check", "--json"], Environment(redis.Url));

        // A busy machine's pings may be slow, which is degraded and no fault of the folder.
        (await check.WaitForExitAsync(TimeSpan.FromMinutes(2))).ShouldBeLessThan(2, check.Tail());
        string.Join('\n', check.Output).ShouldContain("\"nodes\"");
        string.Join('\n', check.Output).ShouldNotContain("unreachable");
    }

    [Fact]
    public async Task PublishedWebHost_IsReady_WithoutAnInstalledRuntime()
    {
        await using var redis = await RedisServer.StartAsync();
        var port = FreePort.Next();
        var environment = Environment(redis.Url);
        environment["Management__Port"] = $"{port}";
        environment["Api__Port"] = $"{FreePort.Next()}";
        environment["Database__Provider"] = "Memory";
        environment["Mail__Folder"] = Path.GetTempPath();

        await using var host = ChildProcess.Start(published.PathOf("webhost", "Maintenance.WebHost"), [], environment);

        using var http = new HttpClient();
        await Eventually.TrueAsync(
            async () => host.HasExited || (await http.GetAsync(new Uri($"http://127.0.0.1:{port}/healthz/ready"))).IsSuccessStatusCode, TimeSpan.FromMinutes(2));
        host.HasExited.ShouldBeFalse(host.Tail());
    }

    [Theory]
    [InlineData("worker", "Worker")]
    [InlineData("webhost", "WebHost")]
    public void BillOfMaterials_ListsExactlyWhatIsInTheFolder(string folder, string project)
    {
        using var bill = JsonDocument.Parse(File.ReadAllText(published.PathOf(folder, "sbom.cdx.json")));
        using var dependencies = JsonDocument.Parse(File.ReadAllText(published.PathOf(folder, $"Maintenance.{project}.deps.json")));
        var listed = bill.RootElement.GetProperty("components").EnumerateArray().Select(component => $"{component.GetProperty("name").GetString()}/{component.GetProperty("version").GetString()}");
        var shipped = dependencies.RootElement.GetProperty("libraries").EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() is "package" or "runtimepack" or "project")
            .Select(library => library.Name.Replace("runtimepack.", "", StringComparison.Ordinal))
            .Where(name => !name.StartsWith($"Maintenance.{project}/", StringComparison.Ordinal));

        listed.ShouldBe(shipped, ignoreOrder: true);
        bill.RootElement.GetProperty("specVersion").GetString().ShouldBe("1.6");
    }

    [Theory]
    [InlineData("worker")]
    [InlineData("webhost")]
    public void Folder_HoldsNothingOfADeveloper(string folder)
    {
        var files = Directory.EnumerateFiles(published.PathOf(folder, "."), "*", SearchOption.AllDirectories).Select(Path.GetFileName).ToList();
        files.ShouldContain("appsettings.json");
        files.Where(file => file!.EndsWith(".cs", StringComparison.Ordinal) || file.Contains("Development", StringComparison.Ordinal) || file.StartsWith(".env", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    // A runtime that is installed here must not help.
    private static Dictionary<string, string?> Environment(string redisUrl) => new(StringComparer.Ordinal)
    {
        ["REDIS_URL"] = redisUrl,
        // A thread that is held up is no Redis that does not answer.
        ["Storage__Redis__Deadline"] = "00:00:20",
        ["Storage__Redis__ConnectTimeout"] = "00:00:20",
        ["Jobs__RedisHealth__CallDeadline"] = "00:00:15",
        ["Jobs__RedisHealth__ConnectTimeout"] = "00:00:15",
        ["Jobs__RedisHealth__Deadline"] = "00:00:40",
        ["DOTNET_ROOT"] = "/nonexistent",
        ["DOTNET_EnableDiagnostics"] = "0",
        ["Management__Address"] = "127.0.0.1",
        ["Api__Address"] = "127.0.0.1",
        ["DOTNET_RUNNING_IN_CONTAINER"] = null,
    };
}
