using YamlDotNet.Serialization;

namespace Maintenance.Deploy.Tests;

/// <summary>Reads YAML files.</summary>
internal static class Yaml
{
    public static T Read<T>(string file)
    {
        var reader = new DeserializerBuilder().IgnoreUnmatchedProperties().Build();
        return reader.Deserialize<T>(File.ReadAllText(file));
    }
}
