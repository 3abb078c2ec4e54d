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

    private static TimeSpan Deadline(params KeyValuePair<string, string?>[] settings)
    {
        using var host = WorkerHost.BuildTool([new("Storage:Redis:Url", "redis://127.0.0.1"), .. settings]);
        return host.Services.GetRequiredService<IOptions<RedisOptions>>().Value.Deadline;
    }
}
