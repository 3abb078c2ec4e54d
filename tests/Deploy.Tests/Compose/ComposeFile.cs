using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Maintenance.Deploy.Tests.Compose;

/// <summary>deploy/compose/compose.yaml, with its merges done.</summary>
internal sealed class ComposeFile
{
    public static string Folder { get; } = RepositoryFile.PathOf("deploy/compose");

    public static string Text { get; } = File.ReadAllText(Path.Combine(Folder, "compose.yaml"));

    [YamlMember(Alias = "services")]
    public Dictionary<string, Service> Services { get; set; } = [];

    [YamlMember(Alias = "networks")]
    public Dictionary<string, Network?> Networks { get; set; } = [];

    [YamlMember(Alias = "volumes")]
    public Dictionary<string, object?> Volumes { get; set; } = [];

    [YamlMember(Alias = "secrets")]
    public Dictionary<string, Secret> Secrets { get; set; } = [];

    public static ComposeFile Load() =>
        new DeserializerBuilder().IgnoreUnmatchedProperties().Build().Deserialize<ComposeFile>(new MergingParser(new Parser(new StringReader(Text))));

    internal sealed class Service
    {
        [YamlMember(Alias = "image")]
        public string Image { get; set; } = "";

        [YamlMember(Alias = "build")]
        public Build? Build { get; set; }

        [YamlMember(Alias = "read_only")]
        public bool ReadOnly { get; set; }

        [YamlMember(Alias = "cap_drop")]
        public List<string> DroppedCapabilities { get; set; } = [];

        [YamlMember(Alias = "security_opt")]
        public List<string> SecurityOptions { get; set; } = [];

        [YamlMember(Alias = "user")]
        public string? User { get; set; }

        [YamlMember(Alias = "tmpfs")]
        public List<string> MemoryFolders { get; set; } = [];

        [YamlMember(Alias = "restart")]
        public string Restart { get; set; } = "";

        [YamlMember(Alias = "mem_limit")]
        public string? MemoryLimit { get; set; }

        [YamlMember(Alias = "environment")]
        public Dictionary<string, string> Environment { get; set; } = [];

        [YamlMember(Alias = "secrets")]
        public List<string> Secrets { get; set; } = [];

        [YamlMember(Alias = "volumes")]
        public List<string> Volumes { get; set; } = [];

        [YamlMember(Alias = "ports")]
        public List<string> Ports { get; set; } = [];

        [YamlMember(Alias = "networks")]
        public List<string> Networks { get; set; } = [];

        [YamlMember(Alias = "depends_on")]
        public object? DependsOn { get; set; }

        [YamlMember(Alias = "healthcheck")]
        public Dictionary<string, object>? HealthCheck { get; set; }
    }

    internal sealed class Build
    {
        [YamlMember(Alias = "context")]
        public string Context { get; set; } = "";

        [YamlMember(Alias = "dockerfile")]
        public string Dockerfile { get; set; } = "";
    }

    internal sealed class Network
    {
        [YamlMember(Alias = "internal")]
        public bool Internal { get; set; }
    }

    internal sealed class Secret
    {
        [YamlMember(Alias = "file")]
        public string File { get; set; } = "";
    }
}
