using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Maintenance.Testing;

/// <summary>Free loopback ports, none handed out twice in one test process.</summary>
public static class FreePort
{
    private static readonly ConcurrentDictionary<int, byte> Given = new();

    /// <summary>A TCP port that was free a moment ago. Another process may still take it, so a server that starts on it retries.</summary>
    public static int Next()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            if (Given.TryAdd(port, 0))
            {
                return port;
            }
        }
    }
}
