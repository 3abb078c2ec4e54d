using System.Text.Json;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>Reads what others wrote: one value a name, bounded depth, and a wrong type is as good as absent.</summary>
internal static class ProviderJson
{
    // Two parsers that choose differently between two values of a name are a way around a check.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>The object; null when it is not JSON, or not an object.</summary>
    public static JsonElement? ReadObject(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string? Text(this JsonElement json, string name)
    {
        try
        {
            return json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair in an escape: no text.
            return null;
        }
    }

    /// <summary>A text, or a whole number as one (some providers number their users).</summary>
    public static string? TextOrNumber(this JsonElement json, string name) =>
        json.Text(name) ?? (json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? $"{number}" : null);

    /// <summary>Seconds since 1970 as a time; null when absent or absurd.</summary>
    public static DateTimeOffset? Time(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    /// <summary>True, or the text "true" (some providers write it so). Anything else is no.</summary>
    public static bool IsTrue(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value)
        && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && json.Text(name) == "true"));

    /// <summary>A list of texts, or one text as a list.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement json, string name)
    {
        if (json.Text(name) is { } one)
        {
            return [one];
        }

        return json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
            : [];
    }
}
