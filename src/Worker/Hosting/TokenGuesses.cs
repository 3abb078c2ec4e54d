using System.Net;
using System.Net.Sockets;

namespace Maintenance.Worker.Hosting;

/// <summary>
/// Counts wrong tokens by the address that they come from. Whoever has given too many is not listened to for the rest of the minute, so that a token
/// cannot be guessed, and each is a line in the log.
/// </summary>
internal sealed class TokenGuesses(TimeProvider timeProvider, ILogger<TokenGuesses> logger)
{
    /// <summary>Wrong tokens that an address may give in a window.</summary>
    internal const int Most = 10;

    /// <summary>How long they are remembered.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // Somebody with many addresses must not fill the memory; those who find no place share one.
    private const int MostAddresses = 1000;

    // A provider gives a customer a network of this size, not one address.
    private const int CustomerBytes = 8;

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, Guesses> byAddress = [];

    /// <summary>Whether another token of this address is looked at.</summary>
    public bool Allows(IPAddress? address)
    {
        lock (gate)
        {
            return !byAddress.TryGetValue(Place(Subject(address)), out var guesses) || IsOver(guesses) || guesses.Count < Most;
        }
    }

    /// <summary>Notes a wrong one.</summary>
    public void Wrong(IPAddress? address)
    {
        int count;
        lock (gate)
        {
            var subject = Place(Subject(address));
            if (!byAddress.TryGetValue(subject, out var guesses) || IsOver(guesses))
            {
                guesses = new Guesses(timeProvider.GetUtcNow(), 0);
            }

            byAddress[subject] = guesses with { Count = guesses.Count + 1 };
            count = guesses.Count + 1;
        }

        logger.WrongToken(address?.ToString() ?? "an unknown address", count, Most);
    }

    private IPAddress Place(IPAddress subject)
    {
        if (byAddress.Count < MostAddresses || byAddress.ContainsKey(subject))
        {
            return subject;
        }

        foreach (var old in byAddress.Where(guesses => IsOver(guesses.Value)).Select(guesses => guesses.Key).ToList())
        {
            byAddress.Remove(old);
        }

        return byAddress.Count < MostAddresses ? subject : IPAddress.None;
    }

    private bool IsOver(Guesses guesses) => timeProvider.GetUtcNow() - guesses.Since >= Window;

    private static IPAddress Subject(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(CustomerBytes).Clear();
        return new IPAddress(bytes);
    }

    private readonly record struct Guesses(DateTimeOffset Since, int Count);
}
