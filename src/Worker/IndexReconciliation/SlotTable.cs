using System.Numerics;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// An open-addressing table of entry numbers: 4 bytes a slot, at most 60 % full. The entries themselves lie in their owner's chunks, which also
/// compares them, so nothing is stored twice.
/// </summary>
internal sealed class SlotTable
{
    private const double MostFull = 0.6;

    private int[] slots = new int[1024];
    private int count;

    /// <summary>Bytes that it takes.</summary>
    public long Bytes => (long)slots.Length * sizeof(int);

    /// <summary>Mixes two words into a hash whose low bits are as good as its high ones.</summary>
    public static ulong Hash(ulong first, ulong second)
    {
        // The finalizer of SplitMix64 over both halves; ids are hashes already, users' sessions share their reference.
        var hash = first ^ BitOperations.RotateLeft(second, 31);
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
        return hash ^ (hash >> 31);
    }

    /// <summary>The entry that satisfies <paramref name="matches"/>, or -1.</summary>
    public int Find<TState>(ulong hash, TState state, Func<TState, int, bool> matches)
    {
        var mask = (ulong)slots.Length - 1;
        for (var at = hash & mask; slots[at] != 0; at = (at + 1) & mask)
        {
            if (matches(state, slots[at] - 1))
            {
                return slots[at] - 1;
            }
        }

        return -1;
    }

    /// <summary>Adds an entry that <see cref="Find"/> did not find.</summary>
    /// <param name="hash">Its hash.</param>
    /// <param name="entry">Its number, 0 or more.</param>
    /// <param name="hashOf">The hash of an entry, for when the table grows.</param>
    public void Add(ulong hash, int entry, Func<int, ulong> hashOf)
    {
        if (++count > slots.Length * MostFull)
        {
            var old = slots;
            slots = new int[old.Length * 2];
            foreach (var slot in old)
            {
                if (slot != 0)
                {
                    Place(hashOf(slot - 1), slot);
                }
            }
        }

        Place(hash, entry + 1);
    }

    private void Place(ulong hash, int slot)
    {
        var mask = (ulong)slots.Length - 1;
        var at = hash & mask;
        while (slots[at] != 0)
        {
            at = (at + 1) & mask;
        }

        slots[at] = slot;
    }
}
