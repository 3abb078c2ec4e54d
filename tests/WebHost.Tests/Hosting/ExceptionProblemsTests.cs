using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Maintenance.WebHost.Tests.Hosting;

public sealed class ExceptionProblemsTests
{
    [Fact]
    public void Describe_SaysWhatIsAway_AndQuotesNothing()
    {
        Check(new StorageUnavailableException(UnavailableReason.Deadline, "secret text"), 503, "storage_unavailable");
        Check(new InvalidOperationException("transient", new NpgsqlException("secret text")), 503, "database_unavailable");
        Check(new HashingSaturatedException(), 503, "saturated");
        Check(new InvalidOperationException("secret text"), 500, "internal_error");
        Check(new BadHttpRequestException("secret text", 413), 413, "too_large");
        Check(new BadHttpRequestException("secret text", 400, new JsonException("secret text", "$.password", 0, 12)), 400, "invalid_request");
    }

    [Fact]
    public void Describe_SaysWhereABodyIsWrong() =>
        ExceptionProblems.Describe(new BadHttpRequestException("x", 400, new JsonException("x", "$.password", 0, 12))).Detail.ShouldNotBeNull()
            .ShouldContain("$.password (line 1, byte 13)");

    [Fact]
    public async Task Log_HasOneLine_WhateverThePathHolds()
    {
        using var logs = new LogCollector();
        await using var services = new ServiceCollection().AddLogging().AddProblemDetails().BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Request.Path = "/api/auth/x\nfail: somebody logged in";

        (await new ExceptionProblems(logs.For<ExceptionProblems>()).TryHandleAsync(context, new HashingSaturatedException(), CancellationToken.None)).ShouldBeTrue();

        var line = logs.WithEvent(3001).ShouldHaveSingleItem().Message;
        line.ShouldContain("/api/auth/x%0Afail");
        line.ShouldNotContain("\n");
    }

    private static void Check(Exception exception, int status, string code)
    {
        var details = ExceptionProblems.Describe(exception);
        details.Status.ShouldBe(status);
        details.Extensions["code"].ShouldBe(code);
        details.Type.ShouldBe($"urn:maintenance:problem:{code}");
        details.Detail.ShouldNotBeNull().ShouldNotContain("secret");
    }
}
