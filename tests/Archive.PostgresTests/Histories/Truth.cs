using Maintenance.Storage.RefreshTokens;
using Maintenance.Storage.Sessions;

namespace Maintenance.Archive.PostgresTests.Histories;

/// <summary>What is known of a token.</summary>
internal enum Truth
{
    /// <summary>It must be valid: nothing ended it, and the archive brings back what Redis has lost.</summary>
    Live,

    /// <summary>Things that happened at the same time may have ended it.</summary>
    Unknown,

    /// <summary>Its end was answered: it must never be valid again.</summary>
    Ended,
}

/// <summary>A session of a history, and what is known of it.</summary>
internal sealed class Known(int user, SessionToken token)
{
    public int User { get; } = user;

    public SessionToken Token { get; } = token;

    public Truth Truth { get; set; }

    /// <summary>Ended by a log-out of its own, not replaced by another id and not with all others.</summary>
    public bool IsRevoked { get; set; }

    /// <summary>Kept by a log-out of all others, in a new generation.</summary>
    public bool WasKept { get; set; }

    /// <summary>Ended by a script whose answer was lost.</summary>
    public bool EndedInRedis { get; set; }

    /// <summary>What a rotation has replaced it by.</summary>
    public Known? Next { get; set; }

    /// <summary>This, and what it leads to.</summary>
    public List<Known> Chain()
    {
        List<Known> chain = [this];
        while (chain[^1].Next is { } next)
        {
            chain.Add(next);
        }

        return chain;
    }

    public override string ToString() => $"session {Token.Id.ToLogString()} of user {User}";
}

/// <summary>A refresh token of a session, and those that it was exchanged for.</summary>
internal sealed class Family(int user, Known session, RefreshToken first)
{
    public int User { get; } = user;

    public Known Session { get; } = session;

    public List<RefreshToken> Tokens { get; } = [first];
}
