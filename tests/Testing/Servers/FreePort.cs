using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Maintenance.Testing;

/// <summary>
/// Free loopback ports, none handed out twice while a test process that has it still runs. They lie below those that the kernel gives to outgoing
/// connections, so that a server that is down for a moment finds its port free when it starts again; and low enough for a cluster node's second port, 10,000 above.
/// </summary>
public static class FreePort
{
    private const int Lowest = 10_240;
    private const int Highest = 20_239;

    private static readonly ConcurrentBag<Socket> Taken = [];

    /// <summary>A TCP port that was free a moment ago, and that no other test process gets. Something else may still take it, so a server that starts on it retries.</summary>
    public static int Next()
    {
        while (true)
        {
            // By chance, because several test processes look at the same time.
            var port = Random.Shared.Next(Lowest, Highest + 1);
            if (TryTake(port) && IsFree(port))
            {
                return port;
            }
        }
    }

    // The UDP port of the same number, which none of our servers uses, says to the other test processes that this one is given: a server may take seconds to
    // listen, or be down for a while. The kernel gives it back when the process ends, however that happens.
    private static bool TryTake(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            Taken.Add(socket);
            return true;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return false;
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
