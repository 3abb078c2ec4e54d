using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Maintenance.WebHost.RedisTests;

/// <summary>What a client does with the API, as clients do it: JSON and a bearer token.</summary>
internal sealed class AuthClient(HttpClient http)
{
    public const string Password = "correct horse battery";

    public static string NewAddress() => $"user-{Guid.NewGuid():N}@example.com";

    /// <summary>Sends JSON and reads JSON.</summary>
    public async Task<Reply> SendAsync(HttpMethod method, string path, object? body = null, string? token = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = JsonContent.Create(body);
        }

        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return await SendAsync(request);
    }

    public async Task<Reply> SendAsync(HttpRequestMessage request)
    {
        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Reply(
            response.StatusCode,
            text,
            response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public Task<Reply> PostAsync(string path, object? body = null, string? token = null) => SendAsync(HttpMethod.Post, path, body, token);

    public Task<Reply> GetAsync(string path, string? token = null) => SendAsync(HttpMethod.Get, path, token: token);

    public async Task<string> RegisterAsync(string? email = null)
    {
        email ??= NewAddress();
        var reply = await PostAsync("/api/auth/register", new { email, password = Password, name = "Ann" });
        reply.Status.ShouldBe(HttpStatusCode.Created, reply.Text);
        return email;
    }

    public Task<Reply> TryLoginAsync(string email, string password = Password, string? device = null) =>
        PostAsync("/api/auth/login", new { email, password, device });

    public async Task<Tokens> LoginAsync(string email, string password = Password, string? device = null)
    {
        var reply = await TryLoginAsync(email, password, device);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Text);
        return reply.Tokens;
    }

    public async Task<HttpStatusCode> VerifyAsync(string token) => (await PostAsync("/api/auth/verify", token: token)).Status;

    public Task<Reply> RefreshAsync(string refreshToken) => PostAsync("/api/auth/refresh", new { refreshToken });
}

/// <summary>What a log-in gives.</summary>
internal sealed record Tokens(string Session, string Refresh);

/// <summary>An answer.</summary>
internal sealed record Reply(HttpStatusCode Status, string Text, Dictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public string? Code => Json.GetProperty("code").GetString();

    public Tokens Tokens => new(Json.GetProperty("sessionToken").GetString()!, Json.GetProperty("refreshToken").GetString()!);
}
