using Maintenance.Storage.Memory;
using Microsoft.Extensions.Options;

namespace Maintenance.Storage.OAuth;

/// <summary>OAuth states of one host: the browser must come back to it. At its cap a log-in is refused, and none that is under way is forgotten.</summary>
public sealed class MemoryOAuthStateStore : OAuthStateStore, IDisposable
{
    private readonly ExpiringMap<string, byte[]> states;
    private readonly int cap;

    /// <summary>Creates an empty store.</summary>
    public MemoryOAuthStateStore(IOptionsMonitor<OAuthStateOptions> options, IOptions<MemoryOptions> bounds, TimeProvider timeProvider)
        : base(options)
    {
        ArgumentNullException.ThrowIfNull(bounds);
        cap = bounds.Value.MaxEntriesPerKind;
        states = new ExpiringMap<string, byte[]>(cap, timeProvider, bounds.Value.SweepInterval);
    }

    /// <summary>States held now.</summary>
    public int Count => states.Count;

    /// <summary>Ends the sweep.</summary>
    public void Dispose() => states.Dispose();

    private protected override Task KeepAsync(string id, byte[] sealedState, TimeSpan life, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return states.Add(id, sealedState, life) == MapAddition.Added
            ? Task.CompletedTask
            : throw MemoryOptions.Full(InstrumentedOAuthStateStore.StoreLabel, cap);
    }

    private protected override Task<byte[]?> TakeAsync(string id, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(states.TryTake(id, out var sealedState) ? sealedState : null);
    }
}
