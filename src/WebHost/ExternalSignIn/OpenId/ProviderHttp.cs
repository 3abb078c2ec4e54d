using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>
/// Calls to providers: a deadline each, a bounded answer, no redirects (a redirect could lead from https to http, or inside our own network).
/// </summary>
internal sealed class ProviderHttp(IHttpClientFactory clients, IOptionsMonitor<ExternalSignInOptions> options, TimeProvider time)
{
    /// <summary>Name of the client in the factory.</summary>
    public const string ClientName = "external-sign-in";

    /// <summary>Largest answer, in bytes.</summary>
    public const int MaxAnswerBytes = 256 * 1024;

    public Task<JsonElement> GetAsync(Uri address, string? accessToken, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (accessToken is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        }

        return SendAsync(request, cancellationToken);
    }

    /// <summary>Sends a request and reads the object that it answers. An OAuth error (400 or 401 with <c>error</c>) is an object too.</summary>
    /// <exception cref="ExternalSignInException">No answer within the deadline, an error, or no JSON object.</exception>
    public async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Maintenance.WebHost", "1"));
            var path = request.RequestUri!.GetLeftPart(UriPartial.Path);
            using var deadline = new CancellationTokenSource(options.CurrentValue.Timeout, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                using var client = clients.CreateClient(ClientName);
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, linked.Token);
                var body = await response.Content.ReadAsByteArrayAsync(linked.Token);
                var json = ProviderJson.ReadObject(body);
                if (response.IsSuccessStatusCode)
                {
                    return json ?? throw Unavailable($"{path} did not answer with a JSON object.");
                }

                return response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized && json?.Text("error") is not null
                    ? json.Value
                    : throw Unavailable($"{path} answered {(int)response.StatusCode}.");
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw Unavailable($"{path} did not answer within {options.CurrentValue.Timeout.TotalSeconds:0.#} s.", exception);
            }
            catch (HttpRequestException exception)
            {
                throw Unavailable($"{path} could not be reached: {exception.HttpRequestError}.", exception);
            }
        }
    }

    private static ExternalSignInException Unavailable(string message, Exception? inner = null) =>
        new(ExternalSignInError.ProviderUnavailable, message, inner);
}
