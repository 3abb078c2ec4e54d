namespace Maintenance.Storage.Sessions;

/// <summary>Address and user agent of a session, and how long they are kept (<see cref="SessionOptions.ClientDetailsLife"/>).</summary>
internal static class ClientDetails
{
    // A record's part that ends with its address and the length of its user agent: header, a user id, an address.
    public const int PrefixBytes = SessionRecordFormat.HeaderLength + 6 + 2 + Redis.UserReference.MaxUserIdBytes + 17 + 2;

    /// <summary>The session without them once their time is over.</summary>
    public static Session Hide(Session session, TimeSpan life, DateTimeOffset now) =>
        session is { IpAddress: null, UserAgent: null } || now - session.CreatedAt < life ? session : session with { IpAddress = null, UserAgent = null };

    /// <summary>The log-in without them if none are to be stored.</summary>
    public static NewSession Kept(NewSession session, TimeSpan life) =>
        life > TimeSpan.Zero ? session : session with { IpAddress = null, UserAgent = null };

    /// <summary>For a script: milliseconds, or -1 where they stay as long as any session.</summary>
    public static long Milliseconds(TimeSpan life) => life >= SessionOptions.LongestLife ? -1 : (long)Math.Ceiling(life.TotalMilliseconds);

    /// <summary>Whether a record that begins so has some whose time is over. The script looks again.</summary>
    public static bool AreOld(ReadOnlySpan<byte> start, TimeSpan life, DateTimeOffset now)
    {
        if (SessionRecordFormat.Classify(start, SessionRecordFormat.Newest, out var version) != RecordKind.Session
            || now.ToUnixTimeMilliseconds() - Tokens.TokenRecord.Number(start.Slice(2, 6)) < Math.Ceiling(life.TotalMilliseconds))
        {
            return false;
        }

        var body = new RecordReader(start[Math.Min(start.Length, SessionRecordFormat.HeaderLength + (version >= 2 ? 6 : 0))..]);
        _ = (start[1] & 1) != 0 ? body.ReadGuid() : body.ReadText();
        // Address and user agent each begin with their length.
        return body.HoldsNonZero(2);
    }
}
