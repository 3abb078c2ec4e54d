namespace Maintenance.Worker.Scheduling;

/// <summary>The meter of the <c>maintenance_*</c> metrics.</summary>
public static class WorkerMeter
{
    /// <summary>Its name.</summary>
    public const string Name = "Maintenance.Worker";
}
