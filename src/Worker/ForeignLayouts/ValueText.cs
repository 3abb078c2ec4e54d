using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Maintenance.Worker.ForeignLayouts;

/// <summary>A text as another program writes it into a value.</summary>
internal static class ValueText
{
    // Java Object Serialization Specification, 6.4.2: STREAM_MAGIC, STREAM_VERSION, TC_STRING; then the length in two bytes, and the text.
    private static readonly byte[] JavaHead = [0xAC, 0xED, 0x00, 0x05, 0x74];

    /// <summary>The bytes of a text; null when this encoding cannot hold it.</summary>
    public static byte[]? Encode(string text, ValueEncoding encoding)
    {
        switch (encoding)
        {
            case ValueEncoding.Json:
                return JsonSerializer.SerializeToUtf8Bytes(text);
            case ValueEncoding.Java:
                // Java's own UTF-8 differs from the standard's for NUL and above U+FFFF; no id has either.
                if (text.Contains('\0', StringComparison.Ordinal) || text.Any(char.IsSurrogate) || Encoding.UTF8.GetByteCount(text) > ushort.MaxValue)
                {
                    return null;
                }

                var content = Encoding.UTF8.GetBytes(text);
                var bytes = new byte[JavaHead.Length + sizeof(ushort) + content.Length];
                JavaHead.CopyTo(bytes, 0);
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(JavaHead.Length), (ushort)content.Length);
                content.CopyTo(bytes, JavaHead.Length + sizeof(ushort));
                return bytes;
            default:
                return Encoding.UTF8.GetBytes(text);
        }
    }

    /// <summary>The text of some bytes; null when they are none in this encoding.</summary>
    public static string? Decode(byte[]? bytes, ValueEncoding encoding)
    {
        if (bytes is null)
        {
            return null;
        }

        switch (encoding)
        {
            case ValueEncoding.Json:
                try
                {
                    return JsonSerializer.Deserialize<string>(bytes);
                }
                catch (JsonException)
                {
                    return null;
                }

            case ValueEncoding.Java:
                var content = bytes.AsSpan();
                if (!content.StartsWith(JavaHead) || content.Length < JavaHead.Length + sizeof(ushort))
                {
                    return null;
                }

                var length = BinaryPrimitives.ReadUInt16BigEndian(content[JavaHead.Length..]);
                content = content[(JavaHead.Length + sizeof(ushort))..];
                return content.Length == length && Utf8.IsValid(content) ? Encoding.UTF8.GetString(content) : null;
            default:
                return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
        }
    }
}
