using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>A store of another program, its patterns read.</summary>
internal sealed class KeySpace
{
    /// <summary>Reads validated options.</summary>
    public KeySpace(string name, KeySpaceOptions options)
    {
        Name = name;
        Options = options;
        Sessions = Pattern(options.Sessions);
        Index = Pattern(options.Index);
        Member = Pattern(options.Member);
    }

    /// <summary>The label <c>keyspace</c>.</summary>
    public string Name { get; }

    /// <summary>The setting that defines it, for messages.</summary>
    public string Setting => $"{KeySpacesOptions.Section}:{Name}";

    /// <summary>As configured.</summary>
    public KeySpaceOptions Options { get; }

    /// <summary>Names of sessions' keys.</summary>
    public KeyPattern Sessions { get; }

    /// <summary>Names of indexes.</summary>
    public KeyPattern Index { get; }

    private KeyPattern Member { get; }

    /// <summary>Whether scores can be compared with the sessions' expiry.</summary>
    public bool ScoresExpiry => Options.IndexType == IndexType.SortedSet && Options.Score != ScoreMeaning.Unknown;

    /// <summary>Whether a session that its index does not name can be put back: a sorted set needs a score that says something known.</summary>
    public bool CanPutBack => Options.IndexType == IndexType.Set || ScoresExpiry;

    /// <summary>Milliseconds in one of a score's units.</summary>
    public int MillisecondsPerScore => Options.Score == ScoreMeaning.ExpirySeconds ? 1000 : 1;

    /// <summary>Whether a score says that it is over.</summary>
    public bool IsOver(double score, long now) => ScoresExpiry && score * MillisecondsPerScore <= now;

    /// <summary>Whether a score is further from an expiry, in ms since 1970, than is allowed.</summary>
    public bool Differs(double score, double expires) =>
        Math.Abs((score * MillisecondsPerScore) - expires) > Options.ScoreTolerance.TotalMilliseconds;

    /// <summary>The session that a member names; null if it names none.</summary>
    public string? SessionOf(byte[]? member) =>
        ValueText.Decode(member, Options.Encoding) is { } text && Member.TryMatch(text, out var session, out _) ? session : null;

    /// <summary>The member that names a session; null when its encoding cannot hold it.</summary>
    public byte[]? MemberOf(string session) => ValueText.Encode(Member.Format(session, ""), Options.Encoding);

    /// <summary>
    /// 16 bytes of SHA-256 for a name, so that neither our memory nor Redis holds an id that would log somebody in. Never zero.
    /// </summary>
    public static UInt128 Fingerprint(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash) | UInt128.One;
    }

    private static KeyPattern Pattern(string text) =>
        KeyPattern.Parse(text, out var problem) ?? throw new ArgumentException($"'{text}' {problem}.", nameof(text));
}
