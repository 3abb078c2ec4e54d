using System.Net.Sockets;
using System.Text;

namespace Maintenance.WebHost.FeatureTests.Fuzz;

/// <summary>Bytes that no HTTP client would send.</summary>
internal static class RawRequests
{
    private static readonly string[] Heads =
    [
        "GET /api/auth/profile HTTP/1.1\r\n\r\n",
        "GET /api/auth/profile HTTP/9.9\r\nHost: x\r\n\r\n",
        "GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/auth/%zz%C3%28%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nCookie: \u00FF\u00FE\u0001=\u0002\r\n\r\n",
        "GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \u00C3\u0028\r\n\r\n",
        "GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
        "GET /api/auth/profile HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        "GET /api/auth/profile HTTP/1.1\r\nHost : x\r\n\r\n",
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\u00FF\u00FE\u00C0\u0080\u0001\r\n0\r\n\r\n",
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}",
        "\r\n\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00FC\u0003\u0003",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    ];

    /// <summary>Sends one, or a variation with a byte changed, and gives the status of the answer; null: the server closed without one.</summary>
    public static async Task<(int? Status, string Answer, string Sent)> SendAsync(Uri address, int number, CancellationToken cancellationToken)
    {
        var random = new Random(number);
        var text = Heads[number % Heads.Length];
        if (number % 7 == 0)
        {
            text = $"GET /api/auth/verify HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, random.Next(150)).Select(i => $"X-{i}: {new string('h', random.Next(300))}\r\n"))}\r\n";
        }

        var bytes = Encoding.Latin1.GetBytes(text);
        if (number >= Heads.Length && random.Next(2) == 0)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }

        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, cancellationToken);
        var stream = client.GetStream();
        var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(bytes, cancellationToken);
            // No more will come: what waits for the rest of a request ends.
            client.Client.Shutdown(SocketShutdown.Send);
            await stream.CopyToAsync(answer, cancellationToken);
        }
        catch (IOException)
        {
            // Reset: the server had enough.
        }

        var said = Encoding.Latin1.GetString(answer.ToArray());
        return (said.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(said.AsSpan(9, 3)) : null, said, text.ReplaceLineEndings("|"));
    }
}
