using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Maintenance.WebHost.TwoFactor;

/// <summary>Time-based codes as RFC 6238 has them and every authenticator app makes them: HMAC-SHA-1, 30 s, 6 digits.</summary>
internal static class Totp
{
    /// <summary>Seconds of a step.</summary>
    public const int StepSeconds = 30;

    /// <summary>Steps accepted before and after the current one, for clocks that differ.</summary>
    public const int Window = 1;

    private const int Digits = 6;
    private const int Modulus = 1_000_000;
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>A new key of 160 bits, in base32 as apps take it.</summary>
    public static string NewKey() => ToBase32(RandomNumberGenerator.GetBytes(20));

    /// <summary>The step that a code belongs to; null: the code is wrong. Every step of the window is computed, whichever matches.</summary>
    public static long? StepOf(string key, string? code, DateTimeOffset now)
    {
        if (code is null || code.Length != Digits || !code.All(char.IsAsciiDigit) || !TryFromBase32(key, out var bytes))
        {
            return null;
        }

        var current = now.ToUnixTimeSeconds() / StepSeconds;
        long? found = null;
        for (var step = current - Window; step <= current + Window; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(System.Text.Encoding.ASCII.GetBytes(CodeAt(bytes, step)), System.Text.Encoding.ASCII.GetBytes(code)))
            {
                found = step;
            }
        }

        return found;
    }

    /// <summary>The code of a key at a time; for tests and for comparing.</summary>
    public static string Code(string key, DateTimeOffset at) =>
        TryFromBase32(key, out var bytes) ? CodeAt(bytes, at.ToUnixTimeSeconds() / StepSeconds) : throw new FormatException("The key is not base32.");

    // SHA-1 because that is what authenticator apps implement.
#pragma warning disable CA5350
    internal static string CodeAt(byte[] key, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(key, counter, hash);
        var offset = hash[^1] & 0xf;
        var number = BinaryPrimitives.ReadInt32BigEndian(hash[offset..]) & int.MaxValue;
        return (number % Modulus).ToString("D6", CultureInfo.InvariantCulture);
    }
#pragma warning restore CA5350

    internal static string ToBase32(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder();
        int buffer = 0, bits = 0;
        foreach (var b in bytes)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= 5)
            {
                text.Append(Alphabet[(buffer >> (bits - 5)) & 31]);
                bits -= 5;
            }
        }

        return bits > 0 ? text.Append(Alphabet[(buffer << (5 - bits)) & 31]).ToString() : text.ToString();
    }

    internal static bool TryFromBase32(string text, out byte[] bytes)
    {
        var result = new List<byte>(text.Length * 5 / 8);
        int buffer = 0, bits = 0;
        foreach (var c in text.TrimEnd('='))
        {
            var value = Alphabet.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal);
            if (value < 0)
            {
                bytes = [];
                return false;
            }

            buffer = ((buffer << 5) | value) & 0xfff;
            bits += 5;
            if (bits >= 8)
            {
                result.Add((byte)(buffer >> (bits - 8)));
                bits -= 8;
            }
        }

        bytes = [.. result];
        return bytes.Length > 0;
    }
}
