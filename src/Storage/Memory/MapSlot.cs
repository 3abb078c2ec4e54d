using System.Diagnostics.CodeAnalysis;

namespace Maintenance.Storage.Memory;

/// <summary>What <see cref="ExpiringMap{TKey,TValue}.Compute"/> runs under the map's lock: short, and never calling into the map again.</summary>
internal delegate TResult MapCompute<TValue, in TState, out TResult>(ref MapSlot<TValue> slot, TState state);

/// <summary>One key's place in the map while a computation holds it.</summary>
internal ref struct MapSlot<TValue>
{
    private readonly bool hasRoom;

    internal MapSlot(TValue? value, TimeSpan? life, bool hasRoom)
    {
        Value = value;
        TimeToLive = life ?? TimeSpan.Zero;
        Exists = life is not null;
        this.hasRoom = hasRoom;
    }

    /// <summary>Whether the key has a live value.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    public bool Exists { get; }

    /// <summary>The live value before the computation.</summary>
    public TValue? Value { get; }

    /// <summary>How long the value would still live; zero when there is none.</summary>
    public TimeSpan TimeToLive { get; }

    internal SlotChange Change { get; private set; }

    internal TValue? NewValue { get; private set; }

    internal TimeSpan NewLife { get; private set; }

    /// <summary>Stores a value when the computation returns; one of no life removes what is there.</summary>
    /// <returns>False, and nothing will change, when the key is new and the map is full.</returns>
    public bool TrySet(TValue value, TimeSpan life)
    {
        if (!Exists && !hasRoom)
        {
            return false;
        }

        (Change, NewValue, NewLife) = (life > TimeSpan.Zero ? SlotChange.Set : SlotChange.Remove, value, life);
        return true;
    }

    /// <summary>Removes the value when the computation returns.</summary>
    public void Remove() => Change = SlotChange.Remove;
}

internal enum SlotChange
{
    None,
    Set,
    Remove,
}
