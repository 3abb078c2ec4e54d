using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maintenance.Storage.Outage;

/// <summary>A line of the journal: the first 8 hexadecimal digits of the SHA-256 of the JSON text, a space, the JSON text.</summary>
internal static class JournalLine
{
    public const string Header = "maintenance-journal 1\n";

    private const int ChecksumLength = 8;

    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    public static ReadOnlySpan<byte> HeaderBytes => "maintenance-journal 1\n"u8;

    public static string Write(JournalledRevocation entry)
    {
        var json = JsonSerializer.Serialize(entry, Json);
        return $"{Checksum(Encoding.UTF8.GetBytes(json))} {json}\n";
    }

    public static bool TryRead(ReadOnlySpan<byte> line, [NotNullWhen(true)] out JournalledRevocation? entry)
    {
        entry = null;
        if (line.Length < ChecksumLength + 2
            || line[ChecksumLength] != (byte)' '
            || Encoding.ASCII.GetString(line[..ChecksumLength]) != Checksum(line[(ChecksumLength + 1)..]))
        {
            return false;
        }

        try
        {
            entry = JsonSerializer.Deserialize<JournalledRevocation>(line[(ChecksumLength + 1)..], Json);
            return entry is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Checksum(ReadOnlySpan<byte> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        return Convert.ToHexStringLower(hash[..(ChecksumLength / 2)]);
    }
}
