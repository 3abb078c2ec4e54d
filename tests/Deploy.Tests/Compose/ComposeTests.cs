using System.Text.RegularExpressions;
using Maintenance.Testing;

namespace Maintenance.Deploy.Tests.Compose;

/// <summary>What can be said of the compose file without an engine: files, ports, secrets, limits.</summary>
public sealed partial class ComposeTests
{
    private readonly ComposeFile compose = ComposeFile.Load();

    [Fact]
    public void Compose_HasEverything_AndEachWaitsForWhatItNeeds()
    {
        compose.Services.Keys.ShouldBe(["redis", "postgres", "migrate", "webhost", "worker", "prometheus", "alertmanager", "grafana"], ignoreOrder: true);
        Conditions("webhost").ShouldBe([("migrate", "service_completed_successfully"), ("redis", "service_healthy")], ignoreOrder: true);
        Conditions("migrate").ShouldBe([("postgres", "service_healthy")]);
        Conditions("worker").ShouldBe([("redis", "service_healthy")]);
        // Our images have nothing that could ask; the file says who watches them instead.
        foreach (var (name, service) in compose.Services)
        {
            (service.HealthCheck is null).ShouldBe(name is "migrate" or "webhost" or "worker", name);
        }
    }

    [Fact]
    public void EachService_RunsWithoutRights_OnAReadOnlyRoot_WithinALimit()
    {
        foreach (var (name, service) in compose.Services)
        {
            service.ReadOnly.ShouldBeTrue(name);
            service.DroppedCapabilities.ShouldBe(["ALL"], name);
            service.SecurityOptions.ShouldBe(["no-new-privileges:true"], name);
            service.Restart.ShouldBe(name == "migrate" ? "on-failure" : "unless-stopped", name);
            service.MemoryLimit.ShouldNotBeNull(name);
        }
    }

    [Theory]
    [InlineData("worker")]
    [InlineData("webhost")]
    public void Program_RunsAsTheImagesUser_AndWritesOnlyToItsVolume(string name)
    {
        var service = compose.Services[name];
        RepositoryFile.Read($"deploy/docker/{name}.Dockerfile").ShouldContain($"USER {service.User}\n");
        service.MemoryFolders.ShouldHaveSingleItem().ShouldStartWith("/tmp:");
        var mounted = service.Volumes.Select(volume => volume.Split(':')[1]).ToList();
        var written = service.Environment.Where(variable => variable.Key.EndsWith("File", StringComparison.Ordinal) || variable.Key.EndsWith("Folder", StringComparison.Ordinal)).ToList();
        written.ShouldAllBe(variable => mounted.Exists(folder => variable.Value.StartsWith($"{folder}/", StringComparison.Ordinal)));
        written.Select(variable => variable.Key).ShouldBe(
            name == "worker" ? [] : ["Storage__Outage__JournalFile", "Avatars__Folder", "Mail__Folder"], ignoreOrder: true, "what a host writes");
        if (name == "webhost")
        {
            RepositoryFile.Read("deploy/docker/webhost.Dockerfile").ShouldContain($"COPY --chown={service.User} deploy/docker/data/ /data/\n");
            mounted.ShouldBe(["/data"]);
        }
    }

    [Fact]
    public void AdministratorsPages_AreAtThePortThatIsTheOperators() =>
        compose.Services["webhost"].Ports.ShouldBe(["127.0.0.1:8080:8080", "127.0.0.1:8082:8082"]);

    [Fact]
    public void EachProgram_IsAUserOfItsOwnAtRedis_WithThePrefixThatRedisKnows()
    {
        compose.Services["redis"].Environment["REDIS_USERS"].ShouldBe("${REDIS_USERS:-separate}");
        foreach (var (name, user) in new[] { ("worker", "${REDIS_WORKER_USER-worker}"), ("webhost", "${REDIS_WEBHOST_USER-webhost}") })
        {
            compose.Services[name].Environment["Storage__Redis__User"].ShouldBe(user);
            compose.Services[name].Environment["Storage__Redis__KeyPrefix"].ShouldBe(compose.Services["redis"].Environment["KEY_PREFIX"]);
        }
    }

    [Fact]
    public void OnlyLoopbackIsPublished_AndTheStoresNotAtAll()
    {
        compose.Services.SelectMany(service => service.Value.Ports).ShouldAllBe(port => port.StartsWith("127.0.0.1:", StringComparison.Ordinal));
        compose.Networks["back"]!.Internal.ShouldBeTrue();
        foreach (var store in (string[])["redis", "postgres", "migrate"])
        {
            compose.Services[store].Ports.ShouldBeEmpty(store);
            compose.Services[store].Networks.ShouldBe(["back"], store);
        }
    }

    [Fact]
    public void EachFileThatIsMountedOrBuilt_Exists_AndEachVolumeIsDeclared()
    {
        foreach (var source in compose.Services.Values.SelectMany(service => service.Volumes).Select(volume => volume.Split(':')[0]))
        {
            if (source.StartsWith('.'))
            {
                Path.Exists(Path.GetFullPath(Path.Combine(ComposeFile.Folder, source))).ShouldBeTrue(source);
            }
            else
            {
                compose.Volumes.Keys.ShouldContain(source);
            }
        }

        foreach (var build in compose.Services.Values.Select(service => service.Build).OfType<ComposeFile.Build>())
        {
            File.Exists(Path.GetFullPath(Path.Combine(ComposeFile.Folder, build.Context, build.Dockerfile))).ShouldBeTrue(build.Dockerfile);
        }

        // Both keep what must not be lost.
        compose.Services["redis"].Volumes.ShouldContain("redis-data:/data");
        compose.Services["postgres"].Volumes.ShouldContain("postgres-data:/var/lib/postgresql/data");
    }

    [Theory]
    [InlineData("single")]
    [InlineData("separate")]
    public async Task Init_MakesEverySecretAndVariable_AndChangesNothingTheSecondTime(string users)
    {
        var folder = Directory.CreateTempSubdirectory("maintenance-compose-").FullName;
        File.Copy(Path.Combine(ComposeFile.Folder, "init.sh"), Path.Combine(folder, "init.sh"));
        await RunAsync(folder, users);
        var variables = Variables(folder);

        // All that compose.yaml cannot do without, and each secret's file.
        NeededVariable().Matches(ComposeFile.Text).Select(match => match.Groups[1].Value).Except(variables.Keys).ShouldBeEmpty();
        compose.Secrets.Values.Select(secret => Path.Combine(folder, secret.File)).ShouldAllBe(file => new FileInfo(file).Length >= 48);
        compose.Services.Values.SelectMany(service => service.Secrets).Except(compose.Secrets.Keys).ShouldBeEmpty();
        variables["REDIS_USERS"].ShouldBe(users);
        (variables["REDIS_WEBHOST_PASSWORD"] == variables["REDIS_WORKER_PASSWORD"]).ShouldBe(users == "single", "one user has one password");
        variables["REDIS_WORKER_PASSWORD"].ShouldBe(await File.ReadAllTextAsync(Path.Combine(folder, "secrets", "redis_worker_password")));
        ModeOf(Path.Combine(folder, ".env")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ModeOf(Path.Combine(folder, "secrets")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await RunAsync(folder, users);
        Variables(folder).ShouldBe(variables);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void NoPasswordStandsInTheFile_AndWhatInitMakesIsNotCommitted()
    {
        compose.Services.Values.SelectMany(service => service.Environment)
            .Where(variable => SecretName().IsMatch(variable.Key))
            .ShouldAllBe(variable => variable.Value.StartsWith("${", StringComparison.Ordinal) || variable.Value.StartsWith("/run/secrets/", StringComparison.Ordinal));
        RepositoryFile.Read(".gitignore").Split('\n').ShouldContain(".env");
        RepositoryFile.Read(".gitignore").Split('\n').ShouldContain("deploy/compose/secrets/");
    }

    [Fact]
    public void Settings_OfThePrograms_AreOnesThatTheyRead()
    {
        var sources = Directory.EnumerateFiles(RepositoryFile.PathOf("src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        foreach (var name in compose.Services["worker"].Environment.Keys.Concat(compose.Services["webhost"].Environment.Keys))
        {
            var parts = name.Split("__");
            var read = parts.Length == 1
                ? sources.Exists(source => source.Contains($"\"{name}\"", StringComparison.Ordinal))
                : sources.Exists(source => source.Contains($"Section = \"{string.Join(':', parts[..^1])}\"", StringComparison.Ordinal)
                    && Regex.IsMatch(source, $@"public [A-Za-z?]+ {parts[^1]} \{{ get; set; \}}"));
            read.ShouldBeTrue(name);
        }
    }

    [Fact]
    public void Redis_NeverEvicts_PersistsEveryWrite_AndMayHaveTwiceItsMemory()
    {
        var settings = RepositoryFile.Read("deploy/redis/redis.conf").Split('\n').Where(line => line.Length > 0 && line[0] != '#')
            .ToLookup(line => line.Split(' ', 2)[0], line => line.Split(' ', 2)[1], StringComparer.Ordinal);
        settings["maxmemory-policy"].ShouldBe(["noeviction"]);
        settings["appendonly"].ShouldBe(["yes"]);
        settings["stop-writes-on-bgsave-error"].ShouldBe(["yes"]);
        settings["enable-debug-command"].ShouldBe(["no"]);
        ComposeFile.Text.ShouldContain("${REDIS_MAXMEMORY:-512mb}");
        compose.Services["redis"].MemoryLimit.ShouldBe("${REDIS_MEMORY_LIMIT:-1200m}");
    }

    [Fact]
    public async Task Prometheus_ScrapesBothPrograms_AndFindsTheRulesWhereTheyAreMounted()
    {
        var file = Path.Combine(ComposeFile.Folder, "prometheus", "prometheus.yml");
        var text = await File.ReadAllTextAsync(file);
        var copy = Path.GetTempFileName();
        await File.WriteAllTextAsync(copy, text.Replace("/etc/prometheus/rules.yaml", RepositoryFile.PathOf("deploy/prometheus/rules.yaml"), StringComparison.Ordinal));
        var check = await Promtool.RunAsync(["check", "config", copy]);
        File.Delete(copy);
        check.ExitCode.ShouldBe(0, check.Output);
        check.Output.ShouldContain("rules found");

        foreach (var target in (string[])["worker:8081", "webhost:8082", "alertmanager:9093"])
        {
            text.ShouldContain($"\"{target}\"");
            compose.Services[target.Split(':')[0]].Networks.Intersect(compose.Services["prometheus"].Networks).ShouldNotBeEmpty();
        }

        text.ShouldContain("/etc/prometheus/rules.yaml");
        compose.Services["prometheus"].Volumes.ShouldContain("../prometheus/rules.yaml:/etc/prometheus/rules.yaml:ro");
        text.ShouldContain("runbooks: ${RUNBOOKS_URL}");
        compose.Services["prometheus"].Environment.Keys.ShouldContain("RUNBOOKS_URL");
    }

    [Fact]
    public void Grafana_FindsDashboardsAndDataSource_WhereTheyAreMounted()
    {
        compose.Services["grafana"].Volumes.ShouldContain("../grafana:/etc/grafana/dashboards:ro");
        RepositoryFile.Read("deploy/grafana/provisioning/dashboards/maintenance.yaml").ShouldContain("path: /etc/grafana/dashboards");
        RepositoryFile.Read("deploy/grafana/provisioning/datasources/prometheus.yaml").ShouldContain("url: http://prometheus:9090");
    }

    private static UnixFileMode ModeOf(string path) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);

    private static async Task RunAsync(string folder, string users)
    {
        await using var init = ChildProcess.Start("sh", [Path.Combine(folder, "init.sh"), users]);
        (await init.WaitForExitAsync()).ShouldBe(0, init.Tail());
    }

    private static Dictionary<string, string> Variables(string folder) => File.ReadLines(Path.Combine(folder, ".env"))
        .Where(line => !line.StartsWith('#'))
        .ToDictionary(line => line.Split('=', 2)[0], line => line.Split('=', 2)[1], StringComparer.Ordinal);

    private IEnumerable<(string Service, string Condition)> Conditions(string service) =>
        from needed in (Dictionary<object, object>)compose.Services[service].DependsOn!
        select ((string)needed.Key, (string)((Dictionary<object, object>)needed.Value)["condition"]);

    [GeneratedRegex(@"\$\{([A-Z_]+):\?")]
    private static partial Regex NeededVariable();

    [GeneratedRegex("PASSWORD|TOKEN|SECRET", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();
}
