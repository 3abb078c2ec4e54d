using System.Net;
using System.Net.Sockets;

namespace Maintenance.Testing.Tests;

public sealed class FreePortTests
{
    [Fact]
    public void Next_KeepsItsPort_FromOtherTestProcesses_BeforeAnybodyListensThere()
    {
        var port = FreePort.Next();

        // What another process does that looks for one.
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Should.Throw<SocketException>(() => other.Bind(new IPEndPoint(IPAddress.Loopback, port))).SocketErrorCode.ShouldBe(SocketError.AddressAlreadyInUse);
        using var server = new TcpListener(IPAddress.Loopback, port);
        server.Start();
    }
}
