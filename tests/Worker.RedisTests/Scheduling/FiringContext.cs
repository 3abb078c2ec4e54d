using System.Reflection;
using Maintenance.Worker.Scheduling;
using Quartz;

namespace Maintenance.Worker.RedisTests.Scheduling;

/// <summary>What the scheduler hands to a job, as far as ours looks at it.</summary>
public class FiringContext : DispatchProxy
{
    private readonly Dictionary<string, object?> values = new(StringComparer.Ordinal);

    internal static IJobExecutionContext Of(string job, DateTimeOffset due)
    {
        var context = Create<IJobExecutionContext, FiringContext>();
        var given = ((FiringContext)(object)context).values;
        given["get_JobDetail"] = JobBuilder.Create<QuartzMaintenanceJob>().WithIdentity(job).Build();
        given["get_FireTimeUtc"] = due;
        given["get_ScheduledFireTimeUtc"] = (DateTimeOffset?)due;
        given["get_NextFireTimeUtc"] = null;
        return context;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => values[targetMethod!.Name];
}
