using System.Text.Json;
using Maintenance.Storage.Redis;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Microsoft.AspNetCore.Http;
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

    private static void Check(Exception exception, int status, string code)
    {
        var details = ExceptionProblems.Describe(exception);
        details.Status.ShouldBe(status);
        details.Extensions["code"].ShouldBe(code);
        details.Type.ShouldBe($"urn:maintenance:problem:{code}");
        details.Detail.ShouldNotBeNull().ShouldNotContain("secret");
    }
}
