using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Maintenance.WebHost.FeatureTests;

/// <summary>An answer.</summary>
/// <param name="Status">Status code.</param>
/// <param name="Json">The body, if it is JSON.</param>
/// <param name="Text">The body.</param>
/// <param name="Headers">Headers.</param>
/// <param name="ContentType">Type of the body.</param>
public sealed record Answer(int Status, JsonElement Json, string Text, HttpResponseHeaders Headers, string? ContentType)
{
    /// <summary>A problem's code.</summary>
    public string? Code => Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("code", out var code) ? code.GetString() : null;

    /// <summary>Names and values of cookies that were set.</summary>
    public IReadOnlyDictionary<string, string> Cookies => Headers.TryGetValues("Set-Cookie", out var values)
        ? values.Select(cookie => cookie.Split(';')[0].Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal)
        : new Dictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>A client of the API: a session token, or cookies that it keeps by itself, because they are Secure and the tests speak HTTP.</summary>
public sealed class ApiClient(Uri address)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // The default, a second, is less than a busy host may take to refuse a body; then it would be sent all the same.
        Expect100ContinueTimeout = TimeSpan.FromMinutes(1),
    })
    { Timeout = TimeSpan.FromMinutes(2) };

    public string? Token { get; set; }

    public string? SessionId { get; set; }

    public string? Accept { get; set; }

    public string? UserAgent { get; set; }

    /// <summary>Headers beside.</summary>
    public Dictionary<string, string> More { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Cookies { get; } = new(StringComparer.Ordinal);

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public Task<Answer> PostAsync(string path, object? body = null) => SendAsync(HttpMethod.Post, path, body is null ? null : JsonContent.Create(body));

    public Task<Answer> PutAsync(string path, object? body = null) => SendAsync(HttpMethod.Put, path, body is null ? null : JsonContent.Create(body));

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = content };
        if (Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        }

        if (Accept is not null)
        {
            request.Headers.Accept.ParseAdd(Accept);
        }

        if (UserAgent is not null)
        {
            request.Headers.UserAgent.ParseAdd(UserAgent);
        }

        foreach (var (name, value) in More)
        {
            request.Headers.Add(name, value);
        }

        if (Cookies.Count > 0)
        {
            request.Headers.Add("Cookie", string.Join("; ", Cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        }

        // A body that is too large is refused before it has been read; without waiting for that the connection breaks under the rest of it.
        request.Headers.ExpectContinue = content?.Headers.ContentLength > 64 * 1024;
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var type = response.Content.Headers.ContentType?.MediaType;
        var json = default(JsonElement);
        if (type is "application/json" or "application/problem+json" && text.Length > 0)
        {
            using var document = JsonDocument.Parse(text);
            json = document.RootElement.Clone();
        }

        var answer = new Answer((int)response.StatusCode, json, text, response.Headers, type);
        foreach (var (name, value) in answer.Cookies)
        {
            Cookies[name] = value;
        }

        return answer;
    }
}
