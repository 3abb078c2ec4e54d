using System.Globalization;

namespace Maintenance.Worker.RedisHealth;

/// <summary>
/// What a server says of itself in INFO. A field that is absent, or holds something else than expected, is null: "not reported by this server",
/// never zero.
/// </summary>
public sealed class RedisInfo
{
    private readonly Dictionary<string, string> fields = new(StringComparer.Ordinal);

    private RedisInfo()
    {
    }

    /// <summary>How many fields there are; 0 for an answer that is no INFO.</summary>
    public int Count => fields.Count;

    /// <summary>Reads <c>name:value</c> lines; section titles, empty lines and garbage are passed over, of a repeated name the last counts.</summary>
    public static RedisInfo Parse(string? text)
    {
        var info = new RedisInfo();
        foreach (var line in (text ?? "").AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon > 0 && line[0] != '#')
            {
                info.fields[line[..colon].Trim().ToString()] = line[(colon + 1)..].Trim().ToString();
            }
        }

        return info;
    }

    /// <summary>A field's text; null if absent or empty.</summary>
    public string? Text(string name) => fields.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    /// <summary>A count or a number of bytes; null if absent, negative or no whole number.</summary>
    public long? Count64(string name) =>
        long.TryParse(Text(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>A ratio; null if absent or not a finite number.</summary>
    public double? Ratio(string name) =>
        double.TryParse(Text(name), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    /// <summary>A flag that is written 0 or 1; null if it is neither.</summary>
    public bool? Flag(string name) => Text(name) switch
    {
        "1" => true,
        "0" => false,
        _ => null,
    };

    /// <summary>A state that is written <c>ok</c> or <c>err</c>; null if absent.</summary>
    public bool? Ok(string name) => Text(name) is { } text ? text == "ok" : null;

    /// <summary>The replicas that a primary lists, with how far each is behind it.</summary>
    public IReadOnlyList<ReplicaFigures> Replicas()
    {
        var offset = Count64("master_repl_offset");
        var replicas = new List<ReplicaFigures>();
        for (var i = 0; Text($"slave{i}") is { } line; i++)
        {
            var parts = line.Split(',')
                .Select(part => part.Split('=', 2))
                .Where(pair => pair.Length == 2)
                .GroupBy(pair => pair[0], StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Last()[1], StringComparer.Ordinal);
            if (!parts.TryGetValue("ip", out var host) || !parts.TryGetValue("port", out var port))
            {
                continue;
            }

            var has = long.TryParse(parts.GetValueOrDefault("offset"), NumberStyles.None, CultureInfo.InvariantCulture, out var replicaOffset);
            replicas.Add(new ReplicaFigures
            {
                Node = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}",
                State = parts.GetValueOrDefault("state"),
                LagBytes = has && offset is { } primary ? Math.Max(0, primary - replicaOffset) : null,
            });
        }

        return replicas;
    }
}
