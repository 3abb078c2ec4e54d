namespace Maintenance.Worker;

/// <summary>Every message of the worker. Event ids 2000 to 2999: 2000 hosting and scheduling, 2100 lease, 2200 cleanup, 2300 reconciliation, 2400 health,
/// 2500 memory, 2600 statistics, 2700 alerting, 2800 demo.</summary>
internal static partial class Log
{
}
