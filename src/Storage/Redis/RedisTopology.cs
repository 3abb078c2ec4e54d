using System.Globalization;

namespace Maintenance.Storage.Redis;

/// <summary>A range of hash slots, both ends included.</summary>
/// <param name="From">0 to 16,383.</param>
/// <param name="To">0 to 16,383.</param>
public readonly record struct SlotRange(int From, int To)
{
    /// <summary>Slots of a cluster.</summary>
    public const int Slots = 16384;

    /// <summary>Slots in the range.</summary>
    public int Count => To - From + 1;

    /// <summary>Whether a slot lies in it.</summary>
    public bool Contains(int slot) => slot >= From && slot <= To;
}

/// <summary>A node of a Redis Cluster, as another one describes it.</summary>
/// <param name="Id">40 hexadecimal digits; lasts as long as the node.</param>
/// <param name="Host">Its address, or its name if it announces only one.</param>
/// <param name="Port">Its port, of TLS if the cluster says so.</param>
/// <param name="IsPrimary">Whether it serves slots of its own (perhaps none yet) and no other's.</param>
/// <param name="HasFailed">Whether the primaries agree that it does not answer.</param>
/// <param name="Slots">What it serves; empty for a replica.</param>
public sealed record RedisClusterNode(string Id, string Host, int Port, bool IsPrimary, bool HasFailed, IReadOnlyList<SlotRange> Slots)
{
    /// <summary><c>host:port</c>: fit for a log or a metric label.</summary>
    public string Name => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>The nodes of a Redis Cluster.</summary>
/// <param name="Nodes">Every one that has an address, failed ones included.</param>
public sealed record RedisTopology(IReadOnlyList<RedisClusterNode> Nodes)
{
    private const int Fields = 8;

    /// <summary>Slots that no working primary serves: their keys cannot be reached, and by default the cluster then serves none.</summary>
    public int UnservedSlots => SlotRange.Slots - Nodes.Where(node => node is { IsPrimary: true, HasFailed: false }).Sum(node => node.Slots.Sum(range => range.Count));

    /// <summary>The primaries that hold keys, or may: failed ones included.</summary>
    public IEnumerable<RedisClusterNode> Primaries => Nodes.Where(node => node.IsPrimary && (node.Slots.Count > 0 || !node.HasFailed));

    /// <summary>Who serves what, as text: it changes when slots move or another node takes over.</summary>
    public string Layout => string.Join(
        ' ', Nodes.Where(node => node.Slots.Count > 0).OrderBy(node => node.Id, StringComparer.Ordinal).Select(node => $"{node.Id}:{string.Join(',', node.Slots.Select(range => $"{range.From}-{range.To}"))}"));

    /// <summary>Reads the answer of CLUSTER NODES. Lines that cannot be read, and nodes without an address, are left out.</summary>
    public static RedisTopology Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new RedisTopology([.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ParseLine).OfType<RedisClusterNode>()]);
    }

    // <id> <ip:port@bus[,name]> <flags> <primary> <ping> <pong> <epoch> <link> <slots...>; a slot on the move is [slot->-id] or [slot-<-id].
    private static RedisClusterNode? ParseLine(string line)
    {
        var fields = line.Split(' ');
        if (fields.Length < Fields || !TryReadAddress(fields[1], out var host, out var port))
        {
            return null;
        }

        var flags = fields[2].Split(',');
        if (flags.Contains("noaddr", StringComparer.Ordinal) || flags.Contains("handshake", StringComparer.Ordinal))
        {
            return null;
        }

        return new RedisClusterNode(
            fields[0],
            host,
            port,
            flags.Contains("master", StringComparer.Ordinal),
            flags.Contains("fail", StringComparer.Ordinal),
            [.. fields.Skip(Fields).Select(ParseSlots).OfType<SlotRange>()]);
    }

    private static bool TryReadAddress(string text, out string host, out int port)
    {
        var parts = text.Split(',');
        var address = parts[0].Split('@')[0];
        var colon = address.LastIndexOf(':');
        host = colon > 0 ? address[..colon] : parts.ElementAtOrDefault(1) ?? "";
        port = 0;
        return host.Length > 0 && int.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= 65535;
    }

    private static SlotRange? ParseSlots(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var (from, to) = dash < 0 ? (text, text) : (text[..dash], text[(dash + 1)..]);
        return int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && int.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && first <= last && last < SlotRange.Slots
                ? new SlotRange(first, last)
                : null;
    }
}
