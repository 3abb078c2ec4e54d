using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Maintenance.WebHost.FeatureTests.OpenApi;

namespace Maintenance.WebHost.FeatureTests.Fuzz;

/// <summary>
/// Requests made from the OpenAPI document: right ones, and ones that are wrong in the ways that break servers. The same seed makes the same requests.
/// Every secret that a request carries begins with <see cref="Marker"/>, so that it can be looked for in answers and logs.
/// </summary>
internal sealed class RequestFuzzer(int seed, IReadOnlyList<ApiOperation> operations, Func<string> bearer, IReadOnlyList<string> ids)
{
    public const string Marker = "sEcReT0";

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"];

    private static readonly string[] Texts =
    [
        "", " ", "null", "true", "0", "-1", "1e308", "NaN", "../../../etc/passwd", "..%2f..%2f", "%00", "'; DROP TABLE users; --", "<script>alert(1)</script>", "{{7*7}}",
        "${jndi:ldap://127.0.0.1/a}", "\u0000", "\uFEFF", "\u202Eabc", "😀😀😀", "İıſK", "a\r\nSet-Cookie: x=y", "é", new string('a', 255), new string('я', 300), new string('x', 5000),
        "anna@example.org", "a@b", "@", "anna@@example.org", "999999", "00000000-0000-0000-0000-000000000000", "2026-01-01T00:00:00Z",
    ];

    private readonly Random random = new(seed);

    public (HttpRequestMessage Request, ApiOperation? Operation, string Label) Next(Uri address)
    {
        var operation = operations[random.Next(operations.Count)];
        var odd = random.Next(100);
        var method = odd < 4 ? Methods[random.Next(Methods.Length)] : operation.Method;
        var path = odd is >= 4 and < 7 ? $"/{Uri.EscapeDataString(Text())}" : Path(operation);
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address, path + Query(operation)));
        Authenticate(request);
        Headers(request);
        if (method is not ("GET" or "HEAD" or "TRACE") && random.Next(20) > 0)
        {
            Body(request, operation);
        }

        return (request, odd is >= 4 and < 7 || method != operation.Method ? null : operation, $"seed {seed}: {method} {path}");
    }

    private string Path(ApiOperation operation)
    {
        var path = operation.Path;
        while (path.IndexOf('{', StringComparison.Ordinal) is var open && open >= 0)
        {
            var value = random.Next(3) == 0 ? ids[random.Next(ids.Count)] : random.Next(2) == 0 ? Text() : random.Next(2) == 0 ? "acme" : Letters(22);
            path = $"{path[..open]}{(value.Length == 0 ? "-" : Uri.EscapeDataString(value.Replace('\0', 'z')))}{path[(path.IndexOf('}', StringComparison.Ordinal) + 1)..]}";
        }

        return path;
    }

    private string Query(ApiOperation operation)
    {
        var pairs = new List<string>();
        if (operation.Json.TryGetProperty("parameters", out var parameters))
        {
            foreach (var parameter in parameters.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "query" && random.Next(2) == 0))
            {
                pairs.Add($"{parameter.GetProperty("name").GetString()}={Uri.EscapeDataString(random.Next(3) == 0 ? $"{random.Next(100)}" : Text())}");
            }
        }

        if (random.Next(20) == 0)
        {
            pairs.Add(random.Next(2) == 0 ? "%C0%AF=%FF" : $"{Letters(20)}={Uri.EscapeDataString(new string('q', random.Next(3000)))}");
        }

        return pairs.Count == 0 ? "" : $"?{string.Join('&', pairs)}";
    }

    private void Authenticate(HttpRequestMessage request)
    {
        switch (random.Next(10))
        {
            case < 6:
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer());
                break;
            case 6:
                var token = bearer();
                request.Headers.TryAddWithoutValidation("Cookie", $"__Host-session={token}");
                if (random.Next(4) > 0)
                {
                    request.Headers.TryAddWithoutValidation("X-Antiforgery-Token", Maintenance.WebHost.Sessions.SessionCookies.AntiforgeryTokenOf(token));
                }

                break;
            case 7:
                request.Headers.TryAddWithoutValidation("Authorization", random.Next(2) == 0 ? $"Bearer {Marker}{Letters(40)}" : $"Basic {Marker}");
                break;
        }
    }

    private void Headers(HttpRequestMessage request)
    {
        switch (random.Next(40))
        {
            case 0: request.Headers.TryAddWithoutValidation("Cookie", $"__Host-session={Marker}{new string('c', random.Next(9000))}"); break;
            case 1: request.Headers.TryAddWithoutValidation("Accept", "\u00FF\u00FE;q=9, text/html;q=-1"); break;
            case 2: request.Headers.TryAddWithoutValidation("User-Agent", new string('u', random.Next(6000))); break;
            case 3: request.Headers.TryAddWithoutValidation("X-Forwarded-For", "1.2.3.4, 'or 1=1, ::1, 999.999.999.999"); break;
            case 4: request.Headers.TryAddWithoutValidation("Host", random.Next(2) == 0 ? "evil.example" : "a:99999"); break;
            case 5: request.Headers.TryAddWithoutValidation("Range", "bytes=0-,-1"); break;
            case 6: request.Headers.TryAddWithoutValidation("If-None-Match", "\"\",*"); break;
            case 7: request.Headers.TryAddWithoutValidation("X-HTTP-Method-Override", "DELETE"); break;
            case 8: request.Headers.TryAddWithoutValidation("traceparent", $"00-{Letters(32)}-zz-01"); break;
            case 9: request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip;q=x"); break;
            case 10: request.Headers.TryAddWithoutValidation("User-Agent", "\u00C3\u0028\u00A0\u00A1"); break;
        }
    }

    private void Body(HttpRequestMessage request, ApiOperation operation)
    {
        byte[] bytes;
        var type = "application/json";
        if (operation.Json.TryGetProperty("requestBody", out var body) && body.GetProperty("content").TryGetProperty("application/json", out var content) && random.Next(8) > 0)
        {
            bytes = Encoding.UTF8.GetBytes(Json(operation, content.GetProperty("schema")));
        }
        else
        {
            bytes = random.Next(5) switch
            {
                0 => Encoding.UTF8.GetBytes(Texts[random.Next(Texts.Length)]),
                1 => Encoding.UTF8.GetBytes(new string('[', random.Next(4000))),
                2 => [0xFF, 0xFE, 0xC0, 0x80, 0x22],
                3 => Profile.ProfileTests.Png(random.Next(5000), random.Next(5000)),
                _ => new byte[random.Next(70_000)],
            };
        }

        switch (random.Next(25))
        {
            case 0: type = "text/plain"; break;
            case 1: type = "multipart/form-data; boundary=x"; break;
            case 2: type = "application/json; charset=utf-7"; break;
            case 3: type = "application/x-www-form-urlencoded"; break;
            case 4 when bytes.Length > 0: bytes[random.Next(bytes.Length)] = (byte)random.Next(256); break;
            case 5: bytes = bytes[..random.Next(bytes.Length + 1)]; break;
            case 6: bytes = [.. bytes, .. new byte[random.Next(80_000)]]; break;
        }

        request.Content = new ByteArrayContent(bytes);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (random.Next(60) == 0)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Encoding", "gzip");
        }
    }

    private string Json(ApiOperation operation, JsonElement schema)
    {
        schema = ApiOperation.Resolve(operation.Document, schema);
        if (!schema.TryGetProperty("properties", out var properties))
        {
            return Value();
        }

        var fields = new List<string>();
        foreach (var property in properties.EnumerateObject())
        {
            if (random.Next(12) > 0)
            {
                fields.Add($"\"{property.Name}\":{(random.Next(4) == 0 ? Value() : Fitting(property.Name))}");
            }
        }

        if (random.Next(15) == 0)
        {
            fields.Add($"\"{Letters(5)}\":{Value()}");
        }

        if (random.Next(25) == 0 && fields.Count > 0)
        {
            fields.Add(fields[0]);
        }

        return random.Next(40) == 0 ? $"[{{{string.Join(',', fields)}}}]" : $"{{{string.Join(',', fields)}}}";
    }

    // Few passwords are long enough to be hashed: a hash costs as much as a hundred other requests.
    private string Fitting(string name) => name switch
    {
        "email" => $"\"{Letters(8)}@example.org\"",
        "password" or "newPassword" or "currentPassword" => random.Next(30) == 0 ? $"\"{Marker}-{Letters(12)}\"" : "\"\"",
        "token" or "refreshToken" or "challengeId" => $"\"{Marker}{Letters(50)}\"",
        "code" => $"\"{random.Next(1_000_000).ToString("D6", CultureInfo.InvariantCulture)}\"",
        "returnUrl" => "\"/account\"",
        "locale" => "\"de-CH\"",
        "timeZone" => "\"Europe/Zurich\"",
        _ => $"\"{Letters(10)}\"",
    };

    private string Value() => random.Next(12) switch
    {
        0 => "null",
        1 => "true",
        2 => $"{random.Next()}",
        3 => "-1e999",
        4 => "12345678901234567890123456789012345678901234567890",
        5 => "[]",
        6 => "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
        7 => "\"\\ud800\"",
        8 => "\"\\u0000\"",
        9 => $"\"{new string('z', random.Next(6000))}\"",
        10 => new string('[', 30) + new string(']', 30),
        _ => JsonSerializer.Serialize(Text()),
    };

    private string Text() => random.Next(3) == 0 ? Letters(random.Next(1, 40)) : Texts[random.Next(Texts.Length)];

    private string Letters(int count) => new([.. Enumerable.Range(0, count).Select(_ => "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[random.Next(64)])]);
}
