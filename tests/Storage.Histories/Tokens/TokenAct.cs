using Maintenance.Storage.Tokens;

namespace Maintenance.Storage.Histories.Tokens;

/// <summary>Something that a client holds: a refresh token, a one-time token, a challenge, or a state.</summary>
internal sealed class HeldToken
{
    public required int Number { get; init; }

    public required TokenStepKind Origin { get; init; }

    public required int User { get; init; }

    public required string Value { get; init; }

    /// <summary>Of a refresh token: the number of the first token of its family. Of others: their own.</summary>
    public required int Family { get; init; }

    /// <summary>The family, the token, or the challenge in its key's name.</summary>
    public TokenId Id { get; init; }

    /// <summary>Of a one-time token: which purpose. Of a state: nothing.</summary>
    public int Purpose { get; init; }

    /// <summary>Of a refresh token: whether its family ends with the user's session.</summary>
    public bool Bound { get; init; }

    /// <summary>Of a state: what the browser must show.</summary>
    public string? Nonce { get; init; }

    /// <summary>Of a state: the object that it is.</summary>
    public string? About { get; init; }

    public override string ToString() => $"#{Number}";
}

/// <summary>One call, from its beginning to its answer. Two whose spans overlap may have happened in either order.</summary>
internal sealed class TokenAct
{
    public required string Client { get; init; }

    public required string What { get; init; }

    /// <summary>What the act is about: nothing that happens elsewhere matters to it.</summary>
    public required string Object { get; init; }

    public int User { get; init; }

    public HeldToken? Target { get; init; }

    public int Variant { get; init; }

    public required long Called { get; init; }

    public long? Answered { get; set; }

    public string Answer { get; set; } = "";

    /// <summary>What the answer brought.</summary>
    public HeldToken? Born { get; set; }

    public override string ToString() =>
        $"{Client}: {What} of {Object}{(Target is null ? "" : $" {Target}")}{(Variant == 0 ? "" : $" ({Variant})")} -> {Answer}{(Born is null ? "" : $" {Born}")}";
}
