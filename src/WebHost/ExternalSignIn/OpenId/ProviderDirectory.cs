using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.ExternalSignIn.OpenId;

/// <summary>
/// Metadata and keys of providers, read at the first sign-in (a provider that is away never keeps the host from starting), kept for a while, and read
/// once for all who wait. While a provider does not answer, what it said last is used for up to a day.
/// </summary>
internal sealed class ProviderDirectory(ProviderHttp http, IOptionsMonitor<ExternalSignInOptions> options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan MostStale = TimeSpan.FromHours(24);

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

        await entry.Gate.WaitAsync(cancellationToken);
        try
        {
            if (!IsFresh(entry))
            {
                entry.Known = await ReadAsync(authority, cancellationToken);
            }
        }
        catch (ExternalSignInException exception) when (
            exception.Error == ExternalSignInError.ProviderUnavailable && entry.Known is { } known && time.GetElapsedTime(known.ReadAt) < MostStale)
        {
            // What it said last still holds; its token endpoint will tell whether it is really away.
        }
        finally
        {
            entry.Gate.Release();
        }

        return entry;
    }

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

    private sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public Known? Known { get; set; }
    }
}
