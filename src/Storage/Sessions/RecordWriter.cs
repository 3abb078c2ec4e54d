using System.Buffers;
using System.Net;
using System.Text;

namespace Maintenance.Storage.Sessions;

/// <summary>Writes the fields of a record's body: texts with a length of 7 bits a byte in front.</summary>
internal sealed class RecordWriter
{
    // Half a surrogate pair is refused: replaced by U+FFFD, two different claims could become one.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> bytes = new(initialCapacity: 160);

    public byte[] ToArray() => bytes.WrittenSpan.ToArray();

    public void WriteBytes(ReadOnlySpan<byte> value) => bytes.Write(value);

    public void WriteText(string value, int maxBytes, string field)
    {
        var length = Strict.GetByteCount(value);
        if (length > maxBytes)
        {
            throw new ArgumentException($"{field} takes {length} bytes of UTF-8; at most {maxBytes} are stored.", field);
        }

        WriteLength(length);
        Span<byte> encoded = length <= 1024 ? stackalloc byte[length] : new byte[length];
        Strict.GetBytes(value, encoded);
        bytes.Write(encoded);
    }

    public void WriteAddress(IPAddress? address)
    {
        if (address is null)
        {
            WriteByte(0);
            return;
        }

        var raw = Plain(address)!.GetAddressBytes();
        WriteByte((byte)raw.Length);
        bytes.Write(raw);
    }

    public void WriteClaims(IReadOnlyDictionary<string, string> claims, int maxBytes)
    {
        var total = claims.Sum(claim => Strict.GetByteCount(claim.Key) + Strict.GetByteCount(claim.Value));
        if (total > maxBytes)
        {
            throw new ArgumentException($"claims take {total} bytes of UTF-8; at most {maxBytes} are stored, because every validation reads them.", nameof(claims));
        }

        WriteLength(claims.Count);
        foreach (var (name, value) in claims.OrderBy(claim => claim.Key, StringComparer.Ordinal))
        {
            WriteText(name, maxBytes, nameof(claims));
            WriteText(value, maxBytes, nameof(claims));
        }
    }

    /// <summary>
    /// The longest start of a text that fits, never through the middle of a character. What is not a character becomes U+FFFD: unlike the other
    /// fields, this is for a text that no caller chose.
    /// </summary>
    public static string Cut(string text, int maxBytes)
    {
        var kept = new StringBuilder(Math.Min(text.Length, maxBytes));
        var used = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            used += rune.Utf8SequenceLength;
            if (used > maxBytes)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        return kept.ToString();
    }

    /// <summary>An address as it will be read back: IPv4 inside IPv6 as IPv4, and without a scope, which means something on one machine only.</summary>
    public static IPAddress? Plain(IPAddress? address) => address switch
    {
        null => null,
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4(),
        _ => new IPAddress(address.GetAddressBytes()),
    };

    private void WriteByte(byte value) => bytes.Write([value]);

    private void WriteLength(int value)
    {
        var rest = (uint)value;
        while (rest >= 0x80)
        {
            WriteByte((byte)(rest | 0x80));
            rest >>= 7;
        }

        WriteByte((byte)rest);
    }
}

/// <summary>Reads what <see cref="RecordWriter"/> wrote. Damage never throws: <see cref="Complete"/> turns false and stays so.</summary>
internal ref struct RecordReader(ReadOnlySpan<byte> bytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> rest = bytes;
    private bool failed;

    /// <summary>Whether everything was read and nothing is left.</summary>
    public readonly bool Complete => !failed && rest.IsEmpty;

    /// <summary>Whether one of the next bytes is not zero.</summary>
    public readonly bool HoldsNonZero(int count) => rest[..Math.Min(count, rest.Length)].ContainsAnyExcept((byte)0);

    public string ReadGuid() => Take(16, out var raw) ? new Guid(raw, bigEndian: true).ToString("D") : "";

    public string ReadText()
    {
        if (!ReadLength(out var length) || !Take(length, out var raw))
        {
            return "";
        }

        try
        {
            return Strict.GetString(raw);
        }
        catch (DecoderFallbackException)
        {
            failed = true;
            return "";
        }
    }

    public IPAddress? ReadAddress()
    {
        if (!Take(1, out var length) || length[0] == 0)
        {
            return null;
        }

        if (length[0] is not (4 or 16) || !Take(length[0], out var raw))
        {
            failed = true;
            return null;
        }

        return new IPAddress(raw);
    }

    public IReadOnlyDictionary<string, string> ReadClaims()
    {
        // Two bytes a claim at the least: a count beyond what is left is damage, not a reason to allocate.
        if (!ReadLength(out var count) || count > rest.Length / 2)
        {
            failed |= count > 0;
            return NewSession.NoClaims;
        }

        if (count == 0)
        {
            return NewSession.NoClaims;
        }

        var claims = new Dictionary<string, string>(count, StringComparer.Ordinal);
        for (var i = 0; i < count && !failed; i++)
        {
            var name = ReadText();
            claims[name] = ReadText();
        }

        return claims;
    }

    private bool ReadLength(out int value)
    {
        value = 0;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            if (!Take(1, out var part))
            {
                return false;
            }

            value |= (part[0] & 0x7F) << shift;
            if (part[0] < 0x80)
            {
                return true;
            }
        }

        failed = true;
        return false;
    }

    private bool Take(int length, out ReadOnlySpan<byte> taken)
    {
        if (failed || rest.Length < length)
        {
            failed = true;
            taken = default;
            return false;
        }

        taken = rest[..length];
        rest = rest[length..];
        return true;
    }
}
