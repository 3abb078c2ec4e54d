using System.Globalization;
using Maintenance.Storage.Histories.Generation;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Histories.Truth;

/// <summary>One step of a client, from its call to its answer. Two acts whose spans overlap may have happened in either order.</summary>
internal sealed class Act
{
    public required string Client { get; init; }

    public required OperationKind Kind { get; init; }

    public required int User { get; init; }

    public TrackedSession? Target { get; init; }

    /// <summary>Position of the call among all calls and answers.</summary>
    public required long Called { get; init; }

    /// <summary>When it was called, ticks of the stopwatch.</summary>
    public required long CalledAt { get; init; }

    /// <summary>Position of the answer; null while there is none.</summary>
    public long? Answered { get; set; }

    public long AnsweredAt { get; set; }

    /// <summary>Whether it certainly did what it is named after.</summary>
    public bool Done { get; set; }

    public string Answer { get; set; } = "";

    public override string ToString() => Target is null
        ? string.Create(CultureInfo.InvariantCulture, $"{Client}: {Kind} user {User}")
        : string.Create(CultureInfo.InvariantCulture, $"{Client}: {Kind} {Target}");
}

/// <summary>A session that a client holds a token of.</summary>
internal sealed class TrackedSession
{
    public required int Number { get; init; }

    public required int User { get; init; }

    public required SessionToken Token { get; init; }

    /// <summary>The act that made it: a login or a rotation.</summary>
    public required Act Birth { get; init; }

    /// <summary>The session whose rotation made it.</summary>
    public TrackedSession? Parent { get; init; }

    public TrackedSession Root => Parent?.Root ?? this;

    public bool IsInChainOf(TrackedSession other) => this == other || IsBelow(other) || other.IsBelow(this);

    public bool IsBelow(TrackedSession other) => Parent is not null && (Parent == other || Parent.IsBelow(other));

    public override string ToString() => $"s{Number} of user {User}";
}
