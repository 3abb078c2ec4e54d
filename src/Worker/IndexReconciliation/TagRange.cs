using Maintenance.Storage.Redis;
using Maintenance.Worker.Keyspace;

namespace Maintenance.Worker.IndexReconciliation;

/// <summary>
/// A partition: the users whose hash tag (the first two characters of the reference) lies between two numbers. A hash spreads users evenly over the
/// 4,096 tags, so a range of them is that share of the store.
/// </summary>
/// <param name="From">First tag in it, 0 to 4,095.</param>
/// <param name="To">First tag after it, at most 4,096.</param>
internal readonly record struct TagRange(int From, int To)
{
    /// <summary>Number of tags.</summary>
    public const int Tags = 4096;

    // Of a store whose size the server does not tell: narrow enough to learn it from.
    private const int TagsToBeginWith = Tags / 64;

    /// <summary>Whether it is the whole store.</summary>
    public bool IsWhole => From == 0 && To == Tags;

    /// <summary>The next range that should hold so many sessions at most.</summary>
    /// <param name="from">Its first tag.</param>
    /// <param name="sessions">Sessions in the whole store; null while nobody knows.</param>
    /// <param name="most">Sessions that may be in memory.</param>
    public static TagRange Next(int from, long? sessions, long most)
    {
        var width = sessions switch
        {
            null => TagsToBeginWith,
            { } known when known <= most => Tags,
            { } known => Math.Max(1, Tags * most / known),
        };
        return new TagRange(from, (int)Math.Min(Tags, from + width));
    }

    /// <summary>Whether a user belongs to it.</summary>
    public bool Contains(UserReference user)
    {
        var tag = (int)Base64Alphabet.Pack(user.Value.AsSpan(0, 2));
        return tag >= From && tag < To;
    }
}
