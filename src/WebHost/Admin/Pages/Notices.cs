using Maintenance.Pages;

namespace Maintenance.WebHost.Admin.Pages;

/// <summary>What came of a button, in words.</summary>
/// <param name="Text">A sentence.</param>
/// <param name="Tone">Whether it was done.</param>
public sealed record AdminNotice(string Text, Tone Tone);

/// <summary>What can come of a button; a closed set, so no text of an address appears on a page.</summary>
internal static class Notices
{
    public const string Ended = "ended";
    public const string AllEnded = "all-ended";
    public const string Disabled = "disabled";
    public const string Enabled = "enabled";
    public const string Unlocked = "unlocked";
    public const string Gone = "gone";
    public const string OneSelf = "own-account";
    public const string Conflict = "conflict";
    public const string Foreign = "foreign";
    public const string Proved = "proved";
    public const string Journalled = "journalled";

    public static AdminNotice? Read(string? code) => code switch
    {
        Ended => new("The session has ended.", Tone.Good),
        AllEnded => new("Every session has ended.", Tone.Good),
        Disabled => new("The account is disabled, and every session of it has ended.", Tone.Good),
        Enabled => new("The account is open again.", Tone.Good),
        Unlocked => new("Failed log-ins and wrong codes are forgotten; the account is not locked.", Tone.Good),
        Gone => new("Nothing was done: it had ended before.", Tone.Warning),
        OneSelf => new("Nothing was done: nobody can do this to the own account. Ask another administrator.", Tone.Bad),
        Conflict => new("Nothing was done: the account was changed at the same time. Please press the button again.", Tone.Bad),
        Foreign => new("Nothing was done: the form was too old, or not from this page. Please press the button again.", Tone.Bad),
        Proved => new("Thank you. Nothing was done yet: press the button again.", Tone.Good),
        Journalled => new(Accounts.Accepted.Journalled.Message, Tone.Warning),
        _ => null,
    };
}
