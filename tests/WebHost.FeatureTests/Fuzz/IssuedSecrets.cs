using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;

namespace Maintenance.WebHost.FeatureTests.Fuzz;

/// <summary>Secrets that the host gave out while a test ran, by what they are, to be looked for where they must not be.</summary>
internal sealed class IssuedSecrets
{
    private static readonly string[] Fields = ["sessionToken", "refreshToken", "deviceToken", "challengeId", "secret", "uri", "recoveryCodes"];
    private static readonly string[] Cookies = ["__Host-session", "__Host-device"];

    private readonly ConcurrentDictionary<string, string> kinds = new(StringComparer.Ordinal);

    public int Count => kinds.Count;

    public IEnumerable<string> Kinds => kinds.Values.Distinct().Order(StringComparer.Ordinal);

    /// <summary>Adds one; of a token also its secret part alone.</summary>
    public void Add(string kind, string secret)
    {
        // Nothing shorter is secret, and would be found anywhere.
        const int shortest = 16;
        foreach (var part in (string[])[secret, secret[(secret.LastIndexOf('.') + 1)..]])
        {
            if (part.Length >= shortest)
            {
                kinds.TryAdd(part, kind);
            }
        }
    }

    /// <summary>Adds what an answer's body holds.</summary>
    public void AddOf(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in json.EnumerateObject())
                {
                    if (Fields.Contains(property.Name, StringComparer.Ordinal))
                    {
                        foreach (var value in property.Value.ValueKind == JsonValueKind.Array ? property.Value.EnumerateArray().ToArray() : [property.Value])
                        {
                            if (value.ValueKind == JsonValueKind.String)
                            {
                                Add(property.Name, value.GetString()!);
                            }
                        }
                    }

                    AddOf(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                {
                    AddOf(item);
                }

                break;
        }
    }

    /// <summary>Adds what an answer of the fuzzer's holds, body and cookies.</summary>
    public async Task AddOfAsync(HttpResponseMessage response)
    {
        foreach (var cookie in response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
        {
            var pair = cookie.Split(';')[0].Split('=', 2);
            if (Cookies.Contains(pair[0], StringComparer.Ordinal))
            {
                Add(pair[0], pair[1]);
            }
        }

        if (response.Content.Headers.ContentType?.MediaType == "application/json")
        {
            var text = await response.Content.ReadAsStringAsync();
            if (text.Length > 0)
            {
                using var document = JsonDocument.Parse(text);
                AddOf(document.RootElement);
            }
        }
    }

    /// <summary>The lines that hold any of them, with its kind instead of the secret.</summary>
    public IReadOnlyList<string> FindIn(IEnumerable<string> lines)
    {
        var values = SearchValues.Create([.. kinds.Keys], StringComparison.Ordinal);
        return [.. lines.Where(line => line.AsSpan().ContainsAny(values)).Select(line => kinds.Aggregate(line, (text, secret) => text.Replace(secret.Key, $"<{secret.Value}>", StringComparison.Ordinal)))];
    }
}
