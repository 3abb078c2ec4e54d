namespace Maintenance.Worker.IndexReconciliation;

/// <summary>A list that grows by chunks of 2,048 instead of copying itself, so that a million entries never need twice their room.</summary>
internal sealed class Chunks<T>
    where T : struct
{
    private const int Bits = 11;
    private const int Size = 1 << Bits;

    private readonly List<T[]> chunks = [];

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>Entries that there is room for.</summary>
    public long Capacity => (long)chunks.Count * Size;

    /// <summary>An entry, to read or change in place.</summary>
    public ref T this[int number] => ref chunks[number >> Bits][number & (Size - 1)];

    /// <summary>Adds an entry and returns its number.</summary>
    public int Add(in T entry)
    {
        if (Count == Capacity)
        {
            chunks.Add(new T[Size]);
        }

        chunks[Count >> Bits][Count & (Size - 1)] = entry;
        return Count++;
    }
}
