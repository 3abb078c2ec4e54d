namespace Maintenance.Storage.Diagnostics;

/// <summary>A store whose series exist with zero from the start. Registered by each kind of state, read once by the host's start.</summary>
/// <param name="Store">Value of the label <c>store</c>.</param>
/// <param name="Operations">Values of the label <c>operation</c>.</param>
/// <param name="CountsLookups">Whether it has <c>authstore_lookups_total</c>.</param>
internal sealed record PrimedStore(string Store, IReadOnlyList<string> Operations, bool CountsLookups = true)
{
    /// <summary>Values of the label <c>policy</c> of <c>authstore_ratelimit_decisions_total</c>.</summary>
    public IReadOnlyList<string> RateLimitPolicies { get; init; } = [];
}

/// <summary>Measures the operations of one store; what the decorators share.</summary>
internal sealed class StoreMeter(string store, AuthStoreMetrics metrics, TimeProvider timeProvider)
{
    /// <summary>Runs an operation and records its time and, if it fails, its error. A cancelled one is recorded as neither.</summary>
    public async Task<T> MeasureAsync<T>(string operation, Func<Task<T>> call)
    {
        using var span = StorageTrace.Start(store, operation);
        var started = timeProvider.GetTimestamp();
        try
        {
            var result = await call().ConfigureAwait(false);
            metrics.Operation(store, operation, timeProvider.GetElapsedTime(started), null);
            return result;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            metrics.Operation(store, operation, timeProvider.GetElapsedTime(started), exception);
            StorageTrace.Failed(span, exception);
            throw;
        }
    }

    /// <summary>Counts a lookup.</summary>
    /// <param name="result">One of <see cref="AuthStoreMetrics.LookupResults"/>.</param>
    public void Lookup(string result) => metrics.Lookup(store, result);
}
