using Maintenance.Storage.Diagnostics;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Tests.Sessions;
using Maintenance.Testing;

namespace Maintenance.Storage.Tests.Diagnostics;

public sealed class InstrumentedSessionStoreTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestMeterFactory factory = new();
    private readonly FakeSessionStore inner = new();
    private readonly ManualTimeProvider clock = new();
    private readonly AuthStoreMetrics metrics;
    private readonly InstrumentedSessionStore store;

    public InstrumentedSessionStoreTests()
    {
        metrics = new AuthStoreMetrics(factory);
        store = new InstrumentedSessionStore(inner, metrics, clock);
    }

    public void Dispose() => factory.Dispose();

    [Fact]
    public void Prime_MakesEveryCounterSeriesExistWithZero()
    {
        using var errors = new MetricCollector<long>(factory, "authstore.operation.errors");
        using var lookups = new MetricCollector<long>(factory, "authstore.lookups");
        using var created = new MetricCollector<long>(factory, "authstore.sessions.created");
        using var ended = new MetricCollector<long>(factory, "authstore.sessions.ended");

        metrics.Prime(new PrimedStore(InstrumentedSessionStore.StoreLabel, InstrumentedSessionStore.Operations));

        // 9 operations; each reason to be unavailable and 3 other types of error.
        errors.Measurements.Count.ShouldBe(9 * (Enum.GetValues<UnavailableReason>().Length + 3));
        lookups.Measurements.Select(m => m.Tags["result"]).ShouldBe(["hit", "miss", "denied"]);
        created.Measurements.ShouldHaveSingleItem();
        ended.Measurements.Select(m => m.Tags["reason"]).ShouldBe(["revoked", "revoked_all", "evicted"]);
        errors.Measurements.Concat(lookups.Measurements).Concat(created.Measurements).Concat(ended.Measurements).ShouldAllBe(m => m.Value == 0);
    }

    [Theory]
    [InlineData(SessionDenial.None, "hit")]
    [InlineData(SessionDenial.NotFound, "miss")]
    [InlineData(SessionDenial.Malformed, "denied")]
    [InlineData(SessionDenial.Revoked, "denied")]
    [InlineData(SessionDenial.Unreadable, "denied")]
    public async Task Validate_CountsTheLookupByItsResult(SessionDenial denial, string result)
    {
        using var lookups = new MetricCollector<long>(factory, "authstore.lookups");
        inner.Validation = () => denial == SessionDenial.None ? SessionValidation.Valid(Session()) : SessionValidation.Denied(denial);

        await store.ValidateAsync("t", None);

        lookups.Sum(("store", "sessions"), ("result", result)).ShouldBe(1);
        lookups.Sum().ShouldBe(1);
    }

    [Theory]
    [InlineData("deadline", UnavailableReason.Deadline)]
    [InlineData("connection", UnavailableReason.Connection)]
    [InlineData("not_serving", UnavailableReason.NotServing)]
    [InlineData("out_of_memory", UnavailableReason.OutOfMemory)]
    public async Task Failure_IsCountedByItsType_AndThrownOn(string type, UnavailableReason reason)
    {
        using var errors = new MetricCollector<long>(factory, "authstore.operation.errors");
        using var lookups = new MetricCollector<long>(factory, "authstore.lookups");
        inner.Validation = () => throw new StorageUnavailableException(reason, "no");

        await Should.ThrowAsync<StorageUnavailableException>(() => store.ValidateAsync("t", None));

        errors.Sum(("operation", "validate"), ("error_type", type)).ShouldBe(1);
        lookups.Sum().ShouldBe(0);
    }

    [Fact]
    public async Task Failure_OfAnotherKindIsCountedToo_AndACancellationIsNone()
    {
        using var errors = new MetricCollector<long>(factory, "authstore.operation.errors");
        Exception[] failures = [new System.Text.EncoderFallbackException(), new InvalidOperationException("x"), new OperationCanceledException()];
        foreach (var failure in failures)
        {
            inner.Validation = () => throw failure;
            await Should.ThrowAsync<Exception>(() => store.ValidateAsync("t", None));
        }

        errors.Measurements.Select(m => m.Tags["error_type"]).ShouldBe(["invalid_argument", "other"]);
    }

    [Fact]
    public async Task EveryOperation_IsMeasuredInSeconds_WithClosedLabels()
    {
        using var durations = new MetricCollector<double>(factory, "authstore.operation.duration");
        inner.Issued = () =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(250));
            return new IssuedSession(SessionToken.Create(UserReference.Of("u")), Session(), EvictedSessions: 2);
        };

        await store.CreateAsync(new NewSession { UserId = "u" }, None);
        await store.GetGenerationAsync("u", None);
        await store.ValidateAsync("t", None);
        await store.GetAsync("u", default, None);
        await store.ListAsync("u", None);
        await store.CountAsync("u", None);
        await store.RevokeAsync("u", default, None);
        await store.RevokeAllAsync("u", null, None);
        await store.RotateAsync("t", new SessionChanges(), None);

        durations.Measurements[0].Value.ShouldBe(0.25, 1e-9);
        durations.Measurements.Select(m => m.Tags["operation"]).ShouldBe(InstrumentedSessionStore.Operations);
        durations.Measurements.ShouldAllBe(m => m.Tags.Count == 3 && m.Tags["store"] == "sessions" && m.Tags["outcome"] == "success");
    }

    [Fact]
    public async Task CreatedAndEndedSessions_AreCounted()
    {
        using var created = new MetricCollector<long>(factory, "authstore.sessions.created");
        using var ended = new MetricCollector<long>(factory, "authstore.sessions.ended");
        inner.Issued = () => new IssuedSession(SessionToken.Create(UserReference.Of("u")), Session(), EvictedSessions: 2);
        inner.Ended = true;
        inner.Revoked = new RevokedSessions(3, true);

        await store.CreateAsync(new NewSession { UserId = "u" }, None);
        await store.RevokeAsync("u", default, None);
        await store.RevokeAllAsync("u", null, None);

        created.Sum().ShouldBe(1);
        ended.Sum(("reason", "evicted")).ShouldBe(2);
        ended.Sum(("reason", "revoked")).ShouldBe(1);
        ended.Sum(("reason", "revoked_all")).ShouldBe(3);
    }

    private static Session Session() =>
        SessionRecordFormat.Decode(SessionToken.Create(UserReference.Of("u")).Id, RecordBytes.Session(1, "u"))!;
}
