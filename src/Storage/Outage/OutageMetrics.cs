using System.Diagnostics.Metrics;
using Maintenance.Storage.Diagnostics;

namespace Maintenance.Storage.Outage;

/// <summary>How this host answers, how often that changed, and what waits for Redis.</summary>
internal sealed class OutageMetrics
{
    public OutageMetrics(IMeterFactory meterFactory, StorageSwitch mode, PendingRevocations pending)
    {
        ArgumentNullException.ThrowIfNull(meterFactory);
        var meter = meterFactory.Create(AuthStoreMetrics.MeterName);
        meter.CreateObservableGauge(
            "authstore.mode",
            () => (Measurement<int>[])[Is("redis", !mode.IsWithoutRedis), Is("memory", mode.IsWithoutRedis)],
            description: "1 for how this host answers: with Redis, or without it (by choice, or because it is away).");
        meter.CreateObservableCounter("authstore.mode.transitions", () => mode.Transitions, description: "Changes between answering with Redis and without.");
        meter.CreateObservableGauge("authstore.journal.entries", () => pending.Count, description: "Revocations that wait to be carried out in Redis.");
    }

    private static Measurement<int> Is(string mode, bool value) => new(value ? 1 : 0, KeyValuePair.Create("mode", (object?)mode));
}
