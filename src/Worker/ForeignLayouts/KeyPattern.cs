namespace Maintenance.Worker.ForeignLayouts;

/// <summary>
/// A name with places for a session's id and a user's: <c>user:{user}:sess:{session}</c>. An id of a session holds no colon; neither does a user, except at the
/// end of the name.
/// </summary>
internal sealed class KeyPattern
{
    /// <summary>The place of a session's id.</summary>
    public const string Session = "{session}";

    /// <summary>The place of a user.</summary>
    public const string User = "{user}";

    private readonly string head;
    private readonly string middle;
    private readonly string tail;
    private readonly bool sessionFirst;

    private KeyPattern(string head, string middle, string tail, bool sessionFirst, bool both, string text)
    {
        (this.head, this.middle, this.tail, this.sessionFirst) = (head, middle, tail, sessionFirst);
        HasUser = both || !sessionFirst;
        HasSession = both || sessionFirst;
        Text = text;
    }

    /// <summary>As it was given.</summary>
    public string Text { get; }

    /// <summary>Whether it names a session.</summary>
    public bool HasSession { get; }

    /// <summary>Whether it names a user.</summary>
    public bool HasUser { get; }

    /// <summary>Reads a pattern.</summary>
    /// <returns>Null if it is none; <paramref name="problem"/> says why.</returns>
    public static KeyPattern? Parse(string? text, out string problem)
    {
        problem = "";
        text ??= "";
        var session = text.IndexOf(Session, StringComparison.Ordinal);
        var user = text.IndexOf(User, StringComparison.Ordinal);
        if (session < 0 && user < 0)
        {
            problem = $"has neither {Session} nor {User}";
            return null;
        }

        if (text.LastIndexOf(Session, StringComparison.Ordinal) != session || text.LastIndexOf(User, StringComparison.Ordinal) != user)
        {
            problem = $"has {Session} or {User} twice";
            return null;
        }

        if (session < 0 || user < 0)
        {
            var at = Math.Max(session, user);
            return new KeyPattern(text[..at], "", text[(at + (session < 0 ? User : Session).Length)..], session >= 0, both: false, text);
        }

        var (first, second) = session < user ? (session, user) : (user, session);
        var firstEnd = first + (session < user ? Session : User).Length;
        if (firstEnd == second)
        {
            problem = $"has nothing between {Session} and {User}, so that nobody could tell where one ends";
            return null;
        }

        return new KeyPattern(
            text[..first], text[firstEnd..second], text[(second + (session < user ? User : Session).Length)..], session < user, both: true, text);
    }

    /// <summary>Reads a name.</summary>
    /// <returns>Whether it is of this pattern; what the pattern has no place for is empty.</returns>
    public bool TryMatch(string name, out string session, out string user)
    {
        (session, user) = ("", "");
        if (name.Length < head.Length + tail.Length
            || !name.StartsWith(head, StringComparison.Ordinal)
            || !name.EndsWith(tail, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = name[head.Length..(name.Length - tail.Length)];
        var (first, second) = (rest, "");
        if (HasSession && HasUser)
        {
            var at = rest.IndexOf(middle, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            (first, second) = (rest[..at], rest[(at + middle.Length)..]);
        }

        (session, user) = sessionFirst ? (first, second) : (second, first);
        var userEnds = tail.Length == 0 && !(HasSession && !sessionFirst);
        return (!HasSession || IsId(session, mayHoldColon: false)) && (!HasUser || IsId(user, userEnds));
    }

    /// <summary>Makes a name.</summary>
    public string Format(string session, string user) => (HasSession, HasUser, sessionFirst) switch
    {
        (true, false, _) => $"{head}{session}{tail}",
        (false, true, _) => $"{head}{user}{tail}",
        (_, _, true) => $"{head}{session}{middle}{user}{tail}",
        _ => $"{head}{user}{middle}{session}{tail}",
    };

    // What is not UTF-8 arrives with the replacement character, from which the name could not be made again.
    private static bool IsId(string text, bool mayHoldColon) =>
        text.Length > 0 && !text.Contains('\uFFFD', StringComparison.Ordinal) && (mayHoldColon || !text.Contains(':', StringComparison.Ordinal));
}
