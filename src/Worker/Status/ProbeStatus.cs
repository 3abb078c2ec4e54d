using System.Text.Json;
using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Status;

/// <summary>What a probe job says of Redis: the members <c>status</c> and <c>reasons</c> of its snapshot.</summary>
/// <param name="Status">healthy, degraded or unhealthy.</param>
/// <param name="Reasons">Why it is not healthy.</param>
internal sealed record ProbeStatus(string Status, IReadOnlyList<string> Reasons)
{
    /// <summary>Reads it from a result; null if its job is no probe.</summary>
    public static ProbeStatus? Read(JobResult result)
    {
        if (result.Snapshot is not { ValueKind: JsonValueKind.Object } snapshot
            || !snapshot.TryGetProperty("status", out var status)
            || status.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        var reasons = snapshot.TryGetProperty("reasons", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(reason => reason.ValueKind == JsonValueKind.String).Select(reason => reason.GetString()!).ToList()
            : [];
        return new ProbeStatus(status.GetString()!.ToLowerInvariant(), reasons);
    }
}
