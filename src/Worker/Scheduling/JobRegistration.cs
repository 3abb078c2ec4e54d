namespace Maintenance.Worker.Scheduling;

/// <summary>When a job may run although its lease cannot be had. The lease only saves double work; every job is safe without it.</summary>
public enum LeaselessRuns
{
    /// <summary>Never: without a lease there is no run.</summary>
    Never,

    /// <summary>When a full Redis refuses the lease's write: cleaning up is then what makes room.</summary>
    WhenFull,

    /// <summary>Whenever Redis cannot give one: a probe must report exactly then.</summary>
    WhenUnavailable,
}

/// <summary>A job as the runner and the scheduler know it.</summary>
public sealed class JobRegistration
{
    private readonly Func<IServiceProvider, IMaintenanceJob> job;
    private readonly Func<IServiceProvider, JobOptions> options;

    internal JobRegistration(
        string name, LeaselessRuns leaseless, Func<IServiceProvider, IMaintenanceJob> job, Func<IServiceProvider, JobOptions> options)
    {
        Name = name;
        Leaseless = leaseless;
        this.job = job;
        this.options = options;
    }

    /// <summary>The job's name.</summary>
    public string Name { get; }

    /// <summary>When it may run without a lease.</summary>
    public LeaselessRuns Leaseless { get; }

    /// <summary>The job itself, one instance a process.</summary>
    public IMaintenanceJob Job(IServiceProvider provider) => job(provider);

    /// <summary>Its options as they are now.</summary>
    public JobOptions Options(IServiceProvider provider) => options(provider);
}
