using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Maintenance.Testing;

/// <summary>
/// Free loopback ports, none handed out twice in one test process. They lie below those that the kernel gives to outgoing connections, so that a
/// server that is down for a moment finds its port free when it starts again; and low enough for a cluster node's second port, 10,000 above.
/// </summary>
public static class FreePort
{
    private const int Lowest = 10_240;
    private const int Highest = 20_239;

    private static readonly ConcurrentDictionary<int, byte> Given = new();

    /// <summary>A TCP port that was free a moment ago. Another process may still take it, so a server that starts on it retries.</summary>
    public static int Next()
    {
        while (true)
        {
            // By chance, because several test processes look at the same time.
            var port = Random.Shared.Next(Lowest, Highest + 1);
            if (IsFree(port) && Given.TryAdd(port, 0))
            {
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
