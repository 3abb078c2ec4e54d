using Maintenance.Archive;
using Maintenance.Storage.Redis;
using Maintenance.Worker.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.Hosting;

public sealed class WorkerHostTests
{
    [Fact]
    public void Verb_WaitsLongerForRedis_ThanAService_UnlessASettingSaysOtherwise()
    {
        Deadline().ShouldBe(TimeSpan.FromSeconds(5));
        Deadline(new KeyValuePair<string, string?>("Storage:Redis:Deadline", "00:00:01")).ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Jobs_WaitLongerForTheArchive_ThanARequest_UnlessASettingSaysOtherwise()
    {
        ArchiveDeadline().ShouldBe(TimeSpan.FromSeconds(10));
        ArchiveDeadline(new KeyValuePair<string, string?>("Archive:Deadline", "00:00:01")).ShouldBe(TimeSpan.FromSeconds(1));
        new PostgresArchiveOptions().Deadline.ShouldBe(TimeSpan.FromSeconds(2), "a request's");
    }

    private static TimeSpan ArchiveDeadline(params KeyValuePair<string, string?>[] settings)
    {
        using var host = WorkerHost.BuildTool([new("Storage:Redis:Url", "redis://127.0.0.1"), new("Archive:ConnectionString", "Host=127.0.0.1"), .. settings]);
        return host.Services.GetRequiredService<IOptions<PostgresArchiveOptions>>().Value.Deadline;
    }

    private static TimeSpan Deadline(params KeyValuePair<string, string?>[] settings)
    {
        using var host = WorkerHost.BuildTool([new("Storage:Redis:Url", "redis://127.0.0.1"), .. settings]);
        return host.Services.GetRequiredService<IOptions<RedisOptions>>().Value.Deadline;
    }
}
