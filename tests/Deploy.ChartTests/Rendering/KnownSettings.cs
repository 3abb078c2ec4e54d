using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>The settings that the programs know: those of docs/configuration.md, which another test compares with the options, and logging's.</summary>
internal static class KnownSettings
{
    private static readonly Lazy<Regex[]> Worker = new(() => Patterns(SettingsDocument.OfWorker));
    private static readonly Lazy<Regex[]> WebHost = new(() => Patterns(SettingsDocument.OfWebHost));

    public static bool Has(string key, bool isWorker) =>
        key == "Logging:Console:FormatterName"
        || key.StartsWith("Logging:LogLevel:", StringComparison.Ordinal)
        || (isWorker ? Worker : WebHost).Value.Any(pattern => pattern.IsMatch(key));

    /// <summary>The keys of a settings file as .NET names them.</summary>
    public static IEnumerable<string> KeysOf(JsonNode node, string prefix = "") => node switch
    {
        JsonObject map => map.SelectMany(item => KeysOf(item.Value!, prefix.Length == 0 ? item.Key : $"{prefix}:{item.Key}")),
        _ => [prefix],
    };

    private static Regex[] Patterns(IEnumerable<DocumentedSetting> settings) =>
        [.. settings.Select(setting => new Regex("^" + Regex.Replace(setting.Key, "<[^>]+>", "[^:]+") + "$", RegexOptions.CultureInvariant, TimeSpan.FromMinutes(1)))];
}
