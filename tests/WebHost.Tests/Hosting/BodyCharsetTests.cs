using System.Text.Json;
using Maintenance.WebHost.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Maintenance.WebHost.Tests.Hosting;

public sealed class BodyCharsetTests
{
    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("application/json", true)]
    [InlineData("application/json; charset=utf-8", true)]
    [InlineData("application/json; charset=\"UTF-8\"", true)]
    [InlineData("multipart/form-data; boundary=x", true)]
    [InlineData("no media type at all", true)]
    [InlineData("application/json; charset=utf-16", false)]
    [InlineData("application/json; charset=utf-7", false)]
    [InlineData("application/json; charset=iso-8859-1", false)]
    [InlineData("application/json; charset=nonsense", false)]
    [InlineData("text/plain; charset=\"us-ascii\"", false)]
    public void IsRead_IsUtf8_OrNotSaid(string? contentType, bool read) => BodyCharset.IsRead(contentType).ShouldBe(read);

    [Fact]
    public async Task Body_InAnotherEncoding_IsAnswered415_BeforeAnyEndpoint()
    {
        var (reached, context) = await SendAsync("application/json; charset=utf-7");

        reached.ShouldBeFalse();
        context.Response.StatusCode.ShouldBe(415);
        context.Response.Body.Position = 0;
        using var problem = await JsonDocument.ParseAsync(context.Response.Body);
        problem.RootElement.GetProperty("code").GetString().ShouldBe("unsupported_media_type");
        problem.RootElement.GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain("UTF-8");
    }

    [Fact]
    public async Task Body_InUtf8_IsPassedOn() => (await SendAsync("application/json; charset=utf-8")).Reached.ShouldBeTrue();

    private static async Task<(bool Reached, HttpContext Context)> SendAsync(string contentType)
    {
        var reached = false;
        await using var services = new ServiceCollection().AddLogging().AddProblemDetails().BuildServiceProvider();
        var pipeline = new ApplicationBuilder(services).UseBodyCharset();
        pipeline.Run(_ =>
        {
            reached = true;
            return Task.CompletedTask;
        });
        var context = new DefaultHttpContext { RequestServices = services, Response = { Body = new MemoryStream() } };
        context.Request.ContentType = contentType;
        await pipeline.Build()(context);
        return (reached, context);
    }
}
