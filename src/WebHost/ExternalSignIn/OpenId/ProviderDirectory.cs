using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>
/// Metadata and keys of providers, read at the first sign-in (a provider that is away never keeps the host from starting), kept for a while, and read
/// once for all who wait. While a provider does not answer, what it said last is used for up to a day; it is asked again after ten seconds, by one caller.
/// </summary>
internal sealed class ProviderDirectory(ProviderHttp http, IOptionsMonitor<ExternalSignInOptions> options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan MostStale = TimeSpan.FromHours(24);

    // As long as the client is told to wait.
    private static readonly TimeSpan FailureLife = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);

    public async Task<ProviderMetadata> MetadataAsync(ExternalProviderOptions provider, CancellationToken cancellationToken) =>
        provider.IsOpenId ? (await EntryAsync(provider.Authority!, cancellationToken)).Known!.Metadata : ProviderMetadata.Of(provider);

    /// <summary>Keys for a token: by id and algorithm. When none is known the set is read again, because providers change their keys.</summary>
    /// <param name="provider">An OpenID Connect provider.</param>
    /// <param name="keyId">The token's <c>kid</c>; null fits only when one key comes into question.</param>
    /// <param name="algorithm">The token's <c>alg</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<SigningKey?> KeyAsync(ExternalProviderOptions provider, string? keyId, string algorithm, CancellationToken cancellationToken)
    {
        var entry = await EntryAsync(provider.Authority!, cancellationToken);
        if (Find(entry.Known!.Keys, keyId, algorithm) is { } key)
        {
            return key;
        }

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            // Whoever sends tokens with invented key ids must not make us ask the provider each time.
            if (time.GetElapsedTime(entry.Known.KeysReadAt) >= options.CurrentValue.KeyRefreshInterval)
            {
                var keys = await KeysAsync(entry.Known.Metadata, cancellationToken);
                entry.Known = entry.Known with { Keys = keys, KeysReadAt = time.GetTimestamp() };
            }
        }
        finally
        {
            entry.Gate.Release();
        }

        return Find(entry.Known.Keys, keyId, algorithm);
    }

    public void Dispose()
    {
        foreach (var entry in entries.Values)
        {
            entry.Gate.Dispose();
        }
    }

    private static SigningKey? Find(IReadOnlyList<SigningKey> keys, string? keyId, string algorithm)
    {
        var fitting = keys.Where(key => key.Algorithm == algorithm && (keyId is null || key.Id == keyId)).Take(2).ToList();
        return fitting.Count == 1 ? fitting[0] : null;
    }

    private async Task<Entry> EntryAsync(string authority, CancellationToken cancellationToken)
    {
        var entry = entries.GetOrAdd(authority, static _ => new Entry());
        if (IsFresh(entry))
        {
            return entry;
        }

        // While one asks, or has just asked in vain, all others go on with what it said last.
        if (HasLast(entry) && (HasJustFailed(entry) || entry.Gate.CurrentCount == 0))
        {
            return entry;
        }

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            if (!IsFresh(entry))
            {
                await ReadAsync(entry, authority, cancellationToken);
            }
        }
        finally
        {
            entry.Gate.Release();
        }

        return entry;
    }

    /// <summary>Reads it, or shares the failure of who has just tried: one after the other would each wait as long.</summary>
    private async Task ReadAsync(Entry entry, string authority, CancellationToken cancellationToken)
    {
        if (!HasJustFailed(entry))
        {
            try
            {
                entry.Known = await ReadAsync(authority, cancellationToken);
                entry.Failure = null;
                return;
            }
            catch (ExternalSignInException exception) when (exception.Error == ExternalSignInError.ProviderUnavailable)
            {
                entry.Failure = new Failure(exception.Message, time.GetTimestamp());
            }
        }

        // What it said last still holds; its token endpoint will tell whether it is really away.
        if (!HasLast(entry))
        {
            throw new ExternalSignInException(ExternalSignInError.ProviderUnavailable, entry.Failure!.Message);
        }
    }

    private bool HasLast(Entry entry) => entry.Known is { } known && time.GetElapsedTime(known.ReadAt) < MostStale;

    private bool HasJustFailed(Entry entry) => entry.Failure is { } failure && time.GetElapsedTime(failure.At) < FailureLife;

    private bool IsFresh(Entry entry) => entry.Known is { } known && time.GetElapsedTime(known.ReadAt) < options.CurrentValue.MetadataLife;

    private async Task<Known> ReadAsync(string authority, CancellationToken cancellationToken)
    {
        var json = await http.GetAsync(new Uri($"{authority.TrimEnd('/')}/.well-known/openid-configuration"), accessToken: null, cancellationToken);
        var metadata = ProviderMetadata.Read(authority, json);
        var keys = await KeysAsync(metadata, cancellationToken);
        return new Known(metadata, keys, time.GetTimestamp(), time.GetTimestamp());
    }

    private async Task<IReadOnlyList<SigningKey>> KeysAsync(ProviderMetadata metadata, CancellationToken cancellationToken) =>
        SigningKey.ReadSet(await http.GetAsync(metadata.KeysUri!, accessToken: null, cancellationToken));

    private sealed record Known(ProviderMetadata Metadata, IReadOnlyList<SigningKey> Keys, long ReadAt, long KeysReadAt);

    private sealed record Failure(string Message, long At);

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public Known? Known { get; set; }

        public Failure? Failure { get; set; }
    }
}
