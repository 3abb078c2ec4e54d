using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;

namespace Maintenance.Worker.Keyspace;

/// <summary>A session id in 18 bytes: 22 characters of 6 bits. Exact, so that no two ids are ever taken for one.</summary>
internal readonly record struct PackedId(ulong First, ulong Second, ushort Last)
{
    public static PackedId Of(SessionId id)
    {
        ReadOnlySpan<char> text = id.Value;
        return new PackedId(Base64Alphabet.Pack(text[..10]), Base64Alphabet.Pack(text[10..20]), (ushort)Base64Alphabet.Pack(text[20..]));
    }

    public SessionId Unpack()
    {
        Span<char> text = stackalloc char[SessionId.Length];
        Base64Alphabet.Unpack(First, text[..10]);
        Base64Alphabet.Unpack(Second, text[10..20]);
        Base64Alphabet.Unpack(Last, text[20..]);
        return SessionId.TryParse(text, out var id) ? id : throw new InvalidOperationException("Not a packed session id.");
    }
}

/// <summary>A user reference in 16 bytes: 10 characters, then 6.</summary>
internal readonly record struct PackedUser(ulong First, ulong Second)
{
    public static PackedUser Of(UserReference user)
    {
        ReadOnlySpan<char> text = user.Value;
        return new PackedUser(Base64Alphabet.Pack(text[..10]), Base64Alphabet.Pack(text[10..]));
    }

    public UserReference Unpack()
    {
        Span<char> text = stackalloc char[UserReference.Length];
        Base64Alphabet.Unpack(First, text[..10]);
        Base64Alphabet.Unpack(Second, text[10..]);
        return UserReference.TryParse(text, out var user) ? user : throw new InvalidOperationException("Not a packed user reference.");
    }
}

/// <summary>The 64 characters of base64url as numbers.</summary>
internal static class Base64Alphabet
{
    private const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly byte[] Values = MakeValues();

    public static ulong Pack(ReadOnlySpan<char> text)
    {
        ulong packed = 0;
        foreach (var character in text)
        {
            packed = (packed << 6) | Values[character];
        }

        return packed;
    }

    public static void Unpack(ulong packed, Span<char> text)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Characters[(int)(packed & 63)];
            packed >>= 6;
        }
    }

    private static byte[] MakeValues()
    {
        var values = new byte[128];
        for (var i = 0; i < Characters.Length; i++)
        {
            values[Characters[i]] = (byte)i;
        }

        return values;
    }
}
