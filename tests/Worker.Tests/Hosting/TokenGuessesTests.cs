using System.Net;
using Maintenance.Testing;
using Maintenance.Worker.Hosting;

namespace Maintenance.Worker.Tests.Hosting;

public sealed class TokenGuessesTests : IDisposable
{
    private static readonly IPAddress Somebody = IPAddress.Parse("192.0.2.1");

    private readonly ManualTimeProvider time = new();
    private readonly LogCollector logs = new();
    private readonly TokenGuesses guesses;

    public TokenGuessesTests() => guesses = new TokenGuesses(time, logs.For<TokenGuesses>());

    [Fact]
    public void Address_IsNotListenedTo_AfterTooManyWrongTokens_UntilTheMinuteIsOver()
    {
        Guess(Somebody, TokenGuesses.Most - 1);
        guesses.Allows(Somebody).ShouldBeTrue();

        Guess(Somebody, 1);

        guesses.Allows(Somebody).ShouldBeFalse();
        guesses.Allows(Somebody.MapToIPv6()).ShouldBeFalse();
        guesses.Allows(IPAddress.Parse("192.0.2.2")).ShouldBeTrue();
        time.Advance(TokenGuesses.Window);
        guesses.Allows(Somebody).ShouldBeTrue();
    }

    [Fact]
    public void Wrong_IsALineWithTheAddress()
    {
        Guess(Somebody, 2);
        logs.WithEvent(2017).Select(line => line.Message).ShouldBe(
        [
            "A wrong management token from 192.0.2.1: 1 within a minute; after 10 none is looked at",
            "A wrong management token from 192.0.2.1: 2 within a minute; after 10 none is looked at",
        ]);
    }

    [Fact]
    public void AddressesOfOneCustomersNetwork_AreOne()
    {
        for (var i = 0; i < TokenGuesses.Most; i++)
        {
            Guess(IPAddress.Parse($"2001:db8:1:2::{i:x}"), 1);
        }

        guesses.Allows(IPAddress.Parse("2001:db8:1:2:ffff::1")).ShouldBeFalse();
        guesses.Allows(IPAddress.Parse("2001:db8:1:3::1")).ShouldBeTrue();
    }

    [Fact]
    public void ManyAddresses_DoNotWinMoreGuesses_WhenThereIsNoPlaceForThem()
    {
        for (var i = 0; i < 1000; i++)
        {
            Guess(new IPAddress([10, 0, (byte)(i / 256), (byte)(i % 256)]), 1);
        }

        for (var i = 0; i < TokenGuesses.Most; i++)
        {
            Guess(new IPAddress([10, 1, 0, (byte)i]), 1);
        }

        guesses.Allows(IPAddress.Parse("10.2.0.1")).ShouldBeFalse("those for whom there is no place share one");
        guesses.Allows(IPAddress.Parse("10.0.0.1")).ShouldBeTrue("it has a place of its own");
    }

    public void Dispose() => logs.Dispose();

    private void Guess(IPAddress address, int times)
    {
        for (var i = 0; i < times; i++)
        {
            guesses.Wrong(address);
        }
    }
}
