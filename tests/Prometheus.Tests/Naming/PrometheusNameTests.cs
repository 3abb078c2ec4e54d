using Maintenance.Prometheus.Naming;

namespace Maintenance.Prometheus.Tests.Naming;

public class PrometheusNameTests
{
    /// <summary>Every name that the product documents, from the instrument name, unit and kind that give it.</summary>
    [Theory]
    [InlineData("maintenance.job.runs", "{run}", "counter", "maintenance_job_runs_total")]
    [InlineData("maintenance.job.duration", "s", "histogram", "maintenance_job_duration_seconds")]
    [InlineData("maintenance.job.running", null, "gauge", "maintenance_job_running")]
    [InlineData("maintenance.job.interval", "s", "gauge", "maintenance_job_interval_seconds")]
    [InlineData("maintenance.job.last_success.timestamp", "s", "gauge", "maintenance_job_last_success_timestamp_seconds")]
    [InlineData("maintenance.job.last_completion.timestamp", "s", "gauge", "maintenance_job_last_completion_timestamp_seconds")]
    [InlineData("maintenance.job.next_run.timestamp", "s", "gauge", "maintenance_job_next_run_timestamp_seconds")]
    [InlineData("maintenance.job.misfires", "{run}", "counter", "maintenance_job_misfires_total")]
    [InlineData("maintenance.lease.held", null, "gauge", "maintenance_lease_held")]
    [InlineData("maintenance.lease.transitions", "{transition}", "counter", "maintenance_lease_transitions_total")]
    [InlineData("maintenance.keys.scanned", "{key}", "counter", "maintenance_keys_scanned_total")]
    [InlineData("maintenance.keys.removed", "{key}", "counter", "maintenance_keys_removed_total")]
    [InlineData("maintenance.keys.ttl_repaired", "{key}", "counter", "maintenance_keys_ttl_repaired_total")]
    [InlineData("maintenance.index.drift.members", "{member}", "gauge", "maintenance_index_drift_members")]
    [InlineData("maintenance.index.repairs", "{repair}", "counter", "maintenance_index_repairs_total")]
    [InlineData("maintenance.redis.up", null, "gauge", "maintenance_redis_up")]
    [InlineData("maintenance.redis.status", null, "gauge", "maintenance_redis_status")]
    [InlineData("maintenance.redis.probe.duration", "s", "histogram", "maintenance_redis_probe_duration_seconds")]
    [InlineData("maintenance.redis.last_probe.timestamp", "s", "gauge", "maintenance_redis_last_probe_timestamp_seconds")]
    [InlineData("maintenance.redis.memory.used", "By", "gauge", "maintenance_redis_memory_used_bytes")]
    [InlineData("maintenance.redis.memory.max", "By", "gauge", "maintenance_redis_memory_max_bytes")]
    [InlineData("maintenance.redis.memory.fragmentation", "1", "gauge", "maintenance_redis_memory_fragmentation_ratio")]
    [InlineData("maintenance.redis.evicted_keys", "{key}", "counter", "maintenance_redis_evicted_keys_total")]
    [InlineData("maintenance.redis.expired_keys", "{key}", "counter", "maintenance_redis_expired_keys_total")]
    [InlineData("maintenance.redis.connected_clients", "{client}", "gauge", "maintenance_redis_connected_clients")]
    [InlineData("maintenance.redis.replication.lag", "By", "gauge", "maintenance_redis_replication_lag_bytes")]
    [InlineData("maintenance.redis.persistence.ok", null, "gauge", "maintenance_redis_persistence_ok")]
    [InlineData("maintenance.redis.keyspace.hits", "{hit}", "counter", "maintenance_redis_keyspace_hits_total")]
    [InlineData("maintenance.redis.keyspace.misses", "{miss}", "counter", "maintenance_redis_keyspace_misses_total")]
    [InlineData("maintenance.redis.memory.alert", null, "gauge", "maintenance_redis_memory_alert")]
    [InlineData("maintenance.redis.memory.full.timestamp", "s", "gauge", "maintenance_redis_memory_full_timestamp_seconds")]
    [InlineData("maintenance.keyspace.keys", "{key}", "gauge", "maintenance_keyspace_keys")]
    [InlineData("maintenance.keyspace", "By", "gauge", "maintenance_keyspace_bytes")]
    [InlineData("maintenance.keyspace.bytes", "By", "gauge", "maintenance_keyspace_bytes")]
    [InlineData("maintenance.keyspace.ttl", "s", "gaugehistogram", "maintenance_keyspace_ttl_seconds")]
    [InlineData("maintenance.sessions.active", "{session}", "gauge", "maintenance_sessions_active")]
    [InlineData("maintenance.users.active", "{user}", "gauge", "maintenance_users_active")]
    [InlineData("maintenance.alerts.sent", "{alert}", "counter", "maintenance_alerts_sent_total")]
    [InlineData("authstore.operation.duration", "s", "histogram", "authstore_operation_duration_seconds")]
    [InlineData("authstore.operation.errors", "{error}", "counter", "authstore_operation_errors_total")]
    [InlineData("authstore.lookups", "{lookup}", "counter", "authstore_lookups_total")]
    [InlineData("authstore.sessions.created", "{session}", "counter", "authstore_sessions_created_total")]
    [InlineData("authstore.sessions.ended", "{session}", "counter", "authstore_sessions_ended_total")]
    [InlineData("authstore.ratelimit.decisions", "{decision}", "counter", "authstore_ratelimit_decisions_total")]
    [InlineData("authstore.mode", null, "gauge", "authstore_mode")]
    [InlineData("authstore.mode.transitions", "{transition}", "counter", "authstore_mode_transitions_total")]
    [InlineData("authstore.journal.entries", "{entry}", "gauge", "authstore_journal_entries")]
    [InlineData("maintenance.build_info", null, "gauge", "maintenance_build_info")]
    public void Of_GivesTheDocumentedName_ForEachMetricOfTheProduct(string instrument, string? unit, string kind, string expected) =>
        Full(instrument, unit, kind).ShouldBe(expected);

    [Theory]
    [InlineData("a.total", null, "counter", "a_total")]
    [InlineData("a.total", "By", "counter", "a_bytes_total")]
    [InlineData("a_bytes_total", "By", "counter", "a_bytes_total")]
    [InlineData("a.seconds", "s", "histogram", "a_seconds")]
    [InlineData("a.milliseconds", "s", "gauge", "a_milliseconds_seconds")]
    [InlineData("a.hit.ratio", "1", "gauge", "a_hit_ratio")]
    [InlineData("seconds", "s", "gauge", "seconds")]
    public void Of_NeverDoublesASuffix_WhenTheNameHasIt(string instrument, string? unit, string kind, string expected) =>
        Full(instrument, unit, kind).ShouldBe(expected);

    [Theory]
    [InlineData("a", "1", "gauge", "a_ratio")]
    [InlineData("a", "1", "updown", "a")]
    [InlineData("a", "1", "counter", "a_total")]
    [InlineData("a", "1", "histogram", "a")]
    [InlineData("a", "%", "gauge", "a_percent")]
    [InlineData("a", "ms", "gauge", "a_milliseconds")]
    [InlineData("a", "By/s", "gauge", "a_bytes_per_second")]
    [InlineData("a", "{request}/s", "gauge", "a_per_second")]
    [InlineData("a", "{request}", "gauge", "a")]
    [InlineData("a", "By{used}", "gauge", "a_bytes")]
    [InlineData("a", "furlong", "gauge", "a_furlong")]
    [InlineData("a", "{open", "gauge", "a_open")]
    [InlineData("a", "", "gauge", "a")]
    public void Of_SpellsTheUnitOut_WhenThereIsOne(string instrument, string? unit, string kind, string expected) =>
        Full(instrument, unit, kind).ShouldBe(expected);

    [Theory]
    [InlineData("a.b-c/d", "a_b_c_d")]
    [InlineData("a..b", "a_b")]
    [InlineData("9lives", "_9lives")]
    [InlineData("a:b", "a_b")]
    [InlineData("größe", "gr_e")]
    [InlineData("a.", "a")]
    [InlineData("...", "_")]
    public void Of_MakesAValidName_WhenTheInstrumentNameIsNone(string instrument, string expected) =>
        Full(instrument, null, "gauge").ShouldBe(expected);

    [Fact]
    public void Of_NamesTheOpenMetricsFamilyWithoutTotal_WhenItIsACounter()
    {
        var name = PrometheusName.Of("cpu.time", "s", isCounter: true, isGauge: false);

        name.ShouldBe(new FamilyName("cpu_time_seconds", "cpu_time_seconds_total", "seconds"));
    }

    private static string Full(string instrument, string? unit, string kind) => PrometheusName.Of(
        instrument, unit, string.Equals(kind, "counter", StringComparison.Ordinal), string.Equals(kind, "gauge", StringComparison.Ordinal)).Full;
}
