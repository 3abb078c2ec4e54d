using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Maintenance.WebHost.Sessions;
using Maintenance.WebHost.StepUp;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.OpenApi;

namespace Maintenance.WebHost.Hosting;

/// <summary>Tells the document that an endpoint's 200 has a second shape.</summary>
/// <param name="type">The other shape.</param>
/// <param name="when">When which one comes.</param>
internal sealed class AlternativeAnswerMetadata(Type type, string when)
{
    public Type Type => type;

    public string When => when;
}

internal static class AlternativeAnswerExtensions
{
    public static RouteHandlerBuilder OrProduces<TAnswer>(this RouteHandlerBuilder builder, string when) =>
        builder.WithMetadata(new AlternativeAnswerMetadata(typeof(TAnswer), when));
}

/// <summary>
/// Completes the OpenAPI document with what follows from how an endpoint is built: who may call it, and the problems that every endpoint of its kind
/// answers. An endpoint names only what is its own.
/// </summary>
internal static class OpenApiDocument
{
    private const string Bearer = "bearer";
    private const string Cookie = "cookie";
    private const string ProblemType = "application/problem+json";

    public static IServiceCollection AddApiDocument(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.AddDocumentTransformer(DescribeDocument);
        options.AddOperationTransformer(CompleteAsync);
        options.AddSchemaTransformer(Bound);
    });

    private static Task DescribeDocument(Microsoft.OpenApi.OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken stop)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Maintenance auth server",
            Version = "v1",
            Description = "Errors are RFC 9457 problem details; code is for programs. What is no HTTP, or has a head that is too large, is refused by the server itself: a status without a body, and the connection is closed. Tokens are opaque. A call that is authenticated by the cookie and changes something carries X-Antiforgery-Token.",
        };
        // As it was asked for; a request's Host header is no place to name in a document.
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The session token." },
            [Cookie] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Cookie, Name = SessionCookieOptions.Session, Description = "The session token as a browser has it." },
        };
        return Task.CompletedTask;
    }

    private static async Task CompleteAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken stop)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var changes = context.Description.HttpMethod is not ("GET" or "HEAD" or "OPTIONS");
        var signedIn = metadata.OfType<IAuthorizeData>().Any();
        var codes = new SortedDictionary<int, string>
        {
            // Headers, cookies and lines that cannot be read are refused before any endpoint.
            [400] = "The request cannot be read, or a value is out of its bounds.",
            [503] = "A store that decides does not answer; Retry-After says when to try again.",
        };
        if (signedIn)
        {
            codes[401] = "No valid session.";
            operation.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] },
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Cookie, context.Document)] = [] },
            ];
        }

        if (metadata.OfType<IAuthorizeData>().Any(data => data.Policy is not null)
            || metadata.OfType<RecentAuthenticationMetadata>().Any()
            // Also where the cookie is ignored: a body of another type meets no endpoint, and so no exception.
            || changes)
        {
            codes[403] = "Not allowed, not proved recently enough (reauthentication_required), or a cookie call without the antiforgery header.";
        }

        if (metadata.OfType<EnableRateLimitingAttribute>().Any())
        {
            codes[429] = "Too many requests; RateLimit-*, X-RateLimit-* and Retry-After say when to go on.";
        }

        if (operation.RequestBody is not null)
        {
            codes[413] = "The body is larger than this endpoint takes.";
        }

        if (changes)
        {
            // A body in another encoding is refused also where none is read.
            codes[415] = "The body is of a type or in an encoding that this endpoint does not take.";
        }

        operation.Responses ??= [];
        foreach (var (status, description) in codes)
        {
            operation.Responses.TryAdd($"{status}", new OpenApiResponse { Description = description });
        }

        if (metadata.OfType<AlternativeAnswerMetadata>().FirstOrDefault() is { } alternative
            && operation.Responses["200"].Content is { } content
            && content.TryGetValue("application/json", out var media)
            && media.Schema is { } first)
        {
            var second = await context.GetOrCreateSchemaAsync(alternative.Type, cancellationToken: stop);
            var name = alternative.Type.Name;
            context.Document?.AddComponent(name, second);
            media.Schema = new OpenApiSchema { OneOf = [first, new OpenApiSchemaReference(name, context.Document)], Description = alternative.When };
        }

        var problem = await context.GetOrCreateSchemaAsync(typeof(ProblemDetails), cancellationToken: stop);
        foreach (var (status, response) in operation.Responses)
        {
            if (status[0] is '4' or '5' && response is OpenApiResponse { Content: null or { Count: 0 } } bare)
            {
                bare.Content = new Dictionary<string, OpenApiMediaType>(StringComparer.Ordinal) { [ProblemType] = new() { Schema = problem } };
            }
        }
    }

    // Bounds that the schemas' generator does not know from our own attributes.
    private static Task Bound(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken stop)
    {
        if (context.JsonTypeInfo.Type == typeof(ProblemDetails))
        {
            schema.Properties ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
            schema.Properties["code"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "For programs; the texts may change." };
            schema.Properties["errors"] = new OpenApiSchema { Type = JsonSchemaType.Object, Description = "What is wrong, by field." };
        }

        var attributes = context.JsonPropertyInfo?.AttributeProvider?.GetCustomAttributes(inherit: true) ?? [];
        foreach (var attribute in attributes)
        {
            if (attribute is MailAddressAttribute)
            {
                schema.Format = "email";
            }
            else if (attribute is AllowedValuesAttribute allowed)
            {
                schema.Enum = [.. allowed.Values.OfType<string>().Select(value => (JsonNode)JsonValue.Create(value)!)];
            }
        }

        return Task.CompletedTask;
    }
}
