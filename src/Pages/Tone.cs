namespace Maintenance.Pages;

/// <summary>How a state is shown.</summary>
public enum Tone
{
    /// <summary>Nothing to say.</summary>
    Quiet,

    /// <summary>In order.</summary>
    Good,

    /// <summary>To be looked at.</summary>
    Warning,

    /// <summary>To be mended.</summary>
    Bad,

    /// <summary>Under way.</summary>
    Busy,
}
