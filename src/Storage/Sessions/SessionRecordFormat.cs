using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Maintenance.Storage.Sessions;

/// <summary>
/// The bytes of a session record; record.lua holds the same layout for the scripts. Packed by hand: the reference session takes 153 bytes,
/// a third of JSON.
/// </summary>
internal static class SessionRecordFormat
{
    public const int Oldest = 1;
    public const int Newest = 2;
    public const int HeaderLength = 31;
    public const byte AliasFlag = 0x80;

    private const byte GuidUserFlag = 0x01;
    private const int AuthenticatedLength = 6;
    private const int AliasLength = 9 + SessionId.Length;

    /// <summary>Flags and body of a record; the script puts the header in front, because its times are Redis's.</summary>
    /// <exception cref="ArgumentException">A field is out of its bounds.</exception>
    public static (byte Flags, byte[] Body) EncodeBody(
        string userId, IPAddress? ip, string? userAgent, string? deviceName, IReadOnlyDictionary<string, string> claims)
    {
        byte flags = 0;
        var body = new RecordWriter();
        // Only the canonical spelling, so that decoding gives back the very same text.
        if (Guid.TryParseExact(userId, "D", out var guid) && string.Equals(guid.ToString("D"), userId, StringComparison.Ordinal))
        {
            flags |= GuidUserFlag;
            Span<byte> bytes = stackalloc byte[16];
            guid.TryWriteBytes(bytes, bigEndian: true, out _);
            body.WriteBytes(bytes);
        }
        else
        {
            body.WriteText(userId, Redis.UserReference.MaxUserIdBytes, nameof(userId));
        }

        body.WriteAddress(ip);
        body.WriteText(RecordWriter.Cut(userAgent ?? "", NewSession.MaxUserAgentBytes), NewSession.MaxUserAgentBytes, nameof(userAgent));
        body.WriteText(deviceName ?? "", NewSession.MaxDeviceNameBytes, nameof(deviceName));
        body.WriteClaims(claims, NewSession.MaxClaimsBytes);
        return (flags, body.ToArray());
    }

    /// <summary>A whole record, as the scripts would have written it.</summary>
    public static byte[] Encode(Session session, int version)
    {
        var (flags, body) = EncodeBody(session.UserId, session.IpAddress, session.UserAgent, session.DeviceName, session.Claims);
        var record = new byte[HeaderLength + (version >= 2 ? AuthenticatedLength : 0) + body.Length];
        record[0] = (byte)version;
        record[1] = flags;
        WriteInt(record.AsSpan(2, 6), session.CreatedAt.ToUnixTimeMilliseconds());
        WriteInt(record.AsSpan(8, 6), session.LastSeenAt.ToUnixTimeMilliseconds());
        WriteInt(record.AsSpan(14, 6), session.AbsoluteExpiresAt.ToUnixTimeMilliseconds());
        WriteInt(record.AsSpan(20, 7), session.Generation);
        WriteInt(record.AsSpan(27, 4), (long)session.SlidingExpiration.TotalSeconds);
        if (version >= 2)
        {
            WriteInt(record.AsSpan(HeaderLength, AuthenticatedLength), session.AuthenticatedAt.ToUnixTimeMilliseconds());
        }

        body.CopyTo(record, record.Length - body.Length);
        return record;
    }

    /// <summary>Reads a record's kind without trusting anything else in it.</summary>
    public static RecordKind Classify(ReadOnlySpan<byte> record, int newestKnown, out int version)
    {
        version = record.Length > 0 ? record[0] : 0;
        if (version < Oldest)
        {
            return RecordKind.Foreign;
        }

        if (version > newestKnown)
        {
            return RecordKind.UnknownVersion;
        }

        if (record.Length < 2)
        {
            return RecordKind.Foreign;
        }

        if ((record[1] & AliasFlag) != 0)
        {
            return record.Length == AliasLength ? RecordKind.Alias : RecordKind.Foreign;
        }

        return record.Length > HeaderLength ? RecordKind.Session : RecordKind.Foreign;
    }

    /// <summary>Reads an alias: the generation at rotation and the session that it stands for.</summary>
    public static bool TryDecodeAlias(ReadOnlySpan<byte> record, out long generation, out SessionId target)
    {
        generation = ReadInt(record.Slice(2, 7));
        return SessionId.TryParse(Encoding.ASCII.GetString(record[9..AliasLength]), out target);
    }

    /// <summary>Reads a session record; null if it is torn.</summary>
    public static Session? Decode(SessionId id, ReadOnlySpan<byte> record)
    {
        var version = record[0];
        // Flags of ours come with a format that has them; others mean that these bytes are not what they seem.
        if ((record[1] & ~GuidUserFlag) != 0)
        {
            return null;
        }

        var created = ReadInt(record.Slice(2, 6));
        var seen = ReadInt(record.Slice(8, 6));
        var absolute = ReadInt(record.Slice(14, 6));
        var sliding = BinaryPrimitives.ReadUInt32BigEndian(record.Slice(27, 4));
        var authenticated = created;
        var rest = record[HeaderLength..];
        if (version >= 2)
        {
            if (rest.Length < AuthenticatedLength)
            {
                return null;
            }

            authenticated = ReadInt(rest[..AuthenticatedLength]);
            rest = rest[AuthenticatedLength..];
        }

        var body = new RecordReader(rest);
        var userId = (record[1] & GuidUserFlag) != 0 ? body.ReadGuid() : body.ReadText();
        var ip = body.ReadAddress();
        var userAgent = body.ReadText();
        var deviceName = body.ReadText();
        var claims = body.ReadClaims();
        if (!body.Complete || !IsUserId(userId) || !IsTime(created) || !IsTime(seen) || !IsTime(absolute) || !IsTime(authenticated))
        {
            return null;
        }

        var expires = Math.Min(seen + (sliding * 1000L), absolute);
        return new Session
        {
            Id = id,
            UserId = userId,
            CreatedAt = Time(created),
            LastSeenAt = Time(seen),
            AuthenticatedAt = Time(authenticated),
            ExpiresAt = Time(expires),
            AbsoluteExpiresAt = Time(absolute),
            SlidingExpiration = TimeSpan.FromSeconds(sliding),
            Generation = ReadInt(record.Slice(20, 7)),
            IpAddress = ip,
            UserAgent = string.IsNullOrEmpty(userAgent) ? null : userAgent,
            DeviceName = string.IsNullOrEmpty(deviceName) ? null : deviceName,
            Claims = claims,
        };
    }

    public static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private static bool IsUserId(string userId) =>
        userId.Length > 0 && Encoding.UTF8.GetByteCount(userId) <= Redis.UserReference.MaxUserIdBytes;

    private static bool IsTime(long milliseconds) => milliseconds is > 0 and < 253_402_300_800_000;

    private static void WriteInt(Span<byte> bytes, long value)
    {
        for (var i = bytes.Length - 1; i >= 0; i--, value >>= 8)
        {
            bytes[i] = (byte)value;
        }
    }

    private static long ReadInt(ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        foreach (var b in bytes)
        {
            value = (value << 8) | b;
        }

        return value;
    }
}

/// <summary>What the bytes under a session key are.</summary>
internal enum RecordKind
{
    Session,
    Alias,
    Foreign,
    UnknownVersion,
}
