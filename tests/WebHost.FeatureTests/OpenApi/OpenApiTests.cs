using System.Text.Json;

namespace Maintenance.WebHost.FeatureTests.OpenApi;

[Collection(FeatureCollection.Name)]
public sealed class OpenApiTests(FeatureHost host)
{
    [Fact]
    public async Task Document_HasEveryEndpoint_WithItsShapesAndItsProblems()
    {
        var document = await host.Client().GetAsync("/openapi/v1.json");
        document.Status.ShouldBe(200);

        var operations = ApiOperation.ReadAll(document.Json);

        operations.Count.ShouldBeGreaterThan(35);
        foreach (var operation in operations)
        {
            var at = $"{operation.Method} {operation.Path}";
            operation.Json.TryGetProperty("summary", out _).ShouldBeTrue(at);
            operation.Statuses.ShouldContain(status => status >= 200 && status < 400, at);
            operation.Statuses.ShouldContain(503, at);
            operation.Statuses.ShouldContain(400, at);
            operation.Statuses.ShouldContain(429, at);
            if (operation.Json.TryGetProperty("security", out _))
            {
                operation.Statuses.ShouldContain(401, at);
            }

            foreach (var response in operation.Json.GetProperty("responses").EnumerateObject())
            {
                var type = response.Name[0] switch
                {
                    // Health has the shapes of the older backends, also when it is bad.
                    '5' when operation.Path.EndsWith("/health", StringComparison.Ordinal) || operation.Path == "/health/redis" => "application/json",
                    '4' or '5' => "application/problem+json",
                    '2' when response.Name is "200" or "201" or "202" && operation.Path is not ("/api/auth/avatars/{name}" or "/api/auth/account/export") && response.Value.TryGetProperty("content", out _) => "application/json",
                    _ => null,
                };
                if (type is not null)
                {
                    (response.Value.TryGetProperty("content", out var content) && content.TryGetProperty(type, out var media) && media.TryGetProperty("schema", out _))
                        .ShouldBeTrue($"{at} {response.Name}: {response.Value.GetRawText()}");
                }
            }

            if (operation.Method is "POST" or "PUT" && operation.Json.TryGetProperty("requestBody", out var body))
            {
                body.GetProperty("content").EnumerateObject().ShouldAllBe(content => content.Value.GetRawText().Length > 2, at);
            }
        }
    }

    [Theory]
    [InlineData("post", "/api/auth/login/2fa", "200")]
    [InlineData("post", "/api/auth/register", "201")]
    [InlineData("post", "/api/auth/refresh", "200")]
    [InlineData("get", "/api/auth/profile", "200")]
    [InlineData("get", "/api/auth/sessions", "200")]
    [InlineData("post", "/api/auth/2fa/enrol", "200")]
    [InlineData("post", "/api/auth/2fa/confirm", "200")]
    [InlineData("get", "/api/auth/admin/users", "200")]
    [InlineData("get", "/api/auth/admin/audit", "200")]
    public async Task Answer_HasItsSchema(string method, string path, string status)
    {
        var document = (await host.Client().GetAsync("/openapi/v1.json")).Json;

        var schema = document.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses").GetProperty(status)
            .GetProperty("content").GetProperty("application/json").GetProperty("schema");

        ApiOperation.Resolve(document, schema).GetProperty("properties").EnumerateObject().ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("post", "/api/auth/login")]
    [InlineData("get", "/api/auth/external/{provider}/callback")]
    public async Task LogIn_AnswersASessionOrAChallenge(string method, string path)
    {
        var document = (await host.Client().GetAsync("/openapi/v1.json")).Json;

        var shapes = document.GetProperty("paths").GetProperty(path).GetProperty(method).GetProperty("responses").GetProperty("200")
            .GetProperty("content").GetProperty("application/json").GetProperty("schema").GetProperty("oneOf").EnumerateArray()
            .Select(shape => ApiOperation.Resolve(document, shape).GetProperty("properties").EnumerateObject().Select(property => property.Name).ToList()).ToList();

        shapes.Count.ShouldBe(2);
        shapes[0].ShouldBe(["sessionToken", "refreshToken", "expiresAt", "user", "antiforgeryToken", "deviceToken"], ignoreOrder: true);
        shapes[1].ShouldBe(["challengeId", "methods", "expiresAt"], ignoreOrder: true);
    }

    [Fact]
    public async Task Document_SaysWhoMayCallWhat_AndWhichCallsMayBeAnsweredLater()
    {
        var operations = ApiOperation.ReadAll((await host.Client().GetAsync("/openapi/v1.json")).Json);
        string[] open = ["register", "verify-email", "verify-email/resend", "forgot-password", "reset-password", "login", "login/2fa", "refresh", "verify", "external", "external/{provider}",
            "external/{provider}/callback", "avatars/{name}", "health"];
        foreach (var operation in operations)
        {
            var at = $"{operation.Method} {operation.Path}";
            var isOpen = operation.Path == "/health/redis" || open.Contains(operation.Path["/api/auth/".Length..]);
            operation.Json.TryGetProperty("security", out _).ShouldBe(!isOpen, at);
            if (!isOpen)
            {
                operation.Statuses.ShouldContain(401, at);
            }

            if (operation.Path.Contains("/admin/", StringComparison.Ordinal))
            {
                operation.Statuses.ShouldContain(403, at);
            }
        }

        operations = [.. operations.Where(operation => operation.Path != "/health/redis")];
        foreach (var path in (string[])["POST logout", "POST logout-all", "DELETE sessions/{id}", "DELETE admin/users/{id}/sessions", "DELETE admin/users/{id}/sessions/{session}"])
        {
            operations.Single(operation => $"{operation.Method} {operation.Path["/api/auth/".Length..]}" == path).Statuses.ShouldContain(202, path);
        }

        foreach (var path in (string[])["POST login", "POST login/2fa", "POST refresh", "GET verify"])
        {
            operations.Single(operation => $"{operation.Method} {operation.Path["/api/auth/".Length..]}" == path).Statuses.ShouldContain(401, path);
        }
    }

    [Fact]
    public async Task Bounds_OfFields_AreInTheDocument()
    {
        var document = (await host.Client().GetAsync("/openapi/v1.json")).Json;
        var schema = ApiOperation.Resolve(
            document,
            document.GetProperty("paths").GetProperty("/api/auth/login").GetProperty("post").GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("schema"));

        var email = schema.GetProperty("properties").GetProperty("email");
        (email.GetProperty("format").GetString(), email.GetProperty("maxLength").GetInt32()).ShouldBe(("email", 254));
        schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(["email", "password"], ignoreOrder: true);
    }
}

/// <summary>An operation of an OpenAPI document.</summary>
/// <param name="Method">In capitals.</param>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Json">The operation.</param>
/// <param name="Document">The whole document.</param>
internal sealed record ApiOperation(string Method, string Path, JsonElement Json, JsonElement Document)
{
    public IReadOnlySet<int> Statuses { get; } = Json.GetProperty("responses").EnumerateObject().Select(response => int.Parse(response.Name)).ToHashSet();

    public static IReadOnlyList<ApiOperation> ReadAll(JsonElement document) =>
    [
        .. from path in document.GetProperty("paths").EnumerateObject()
           from operation in path.Value.EnumerateObject()
           where operation.Name is "get" or "head" or "post" or "put" or "delete" or "patch"
           select new ApiOperation(operation.Name.ToUpperInvariant(), path.Name, operation.Value, document),
    ];

    public static JsonElement Resolve(JsonElement document, JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out var reference))
        {
            schema = reference.GetString()!.TrimStart('#', '/').Split('/').Aggregate(document, (at, name) => at.GetProperty(name));
        }

        return schema;
    }
}
