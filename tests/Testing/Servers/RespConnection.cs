using System.Net.Sockets;
using System.Text;

namespace Maintenance.Testing;

/// <summary>An error reply of the server.</summary>
public sealed class RespErrorException(string message) : Exception(message);

/// <summary>
/// A minimal RESP2 client, so that tests look at the data, and damage it, without the client the product uses.
/// One command after the other; not for several callers at once.
/// </summary>
public sealed class RespConnection : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private BufferedStream _stream = new(Stream.Null);

    private RespConnection()
    {
    }

    /// <summary>Connects to a server on loopback and authenticates if a password is given.</summary>
    public static async Task<RespConnection> ConnectAsync(int port, string? password = null, CancellationToken cancellationToken = default)
    {
        var connection = new RespConnection();
        try
        {
            await connection._client.ConnectAsync("127.0.0.1", port, cancellationToken);
            connection._stream = new BufferedStream(connection._client.GetStream(), 64 * 1024);
            if (password is not null)
            {
                await connection.ExecuteAsync(["AUTH", password], cancellationToken);
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends one command. Strings and statuses come back as string (UTF-8), integers as long, arrays as object?[], nil as null.</summary>
    /// <exception cref="RespErrorException">The server answered with an error.</exception>
    public async Task<object?> ExecuteAsync(string[] command, CancellationToken cancellationToken = default) =>
        Decode(await ExecuteRawAsync(Encode(command), cancellationToken));

    /// <summary>The same with bulk strings as byte[], for values that are not text.</summary>
    /// <exception cref="RespErrorException">The server answered with an error.</exception>
    public async Task<object?> ExecuteRawAsync(byte[][] command, CancellationToken cancellationToken = default)
    {
        await WriteAsync(command, cancellationToken);
        await _stream.FlushAsync(cancellationToken);
        return ThrowIfError(await ReadAsync(cancellationToken));
    }

    /// <summary>Sends many commands in one go and reads all their replies; the first error is thrown after the last reply.</summary>
    public async Task<IReadOnlyList<object?>> ExecuteManyAsync(IEnumerable<string[]> commands, CancellationToken cancellationToken = default)
    {
        var replies = new List<object?>();
        foreach (var chunk in commands.Chunk(1000))
        {
            foreach (var command in chunk)
            {
                await WriteAsync(Encode(command), cancellationToken);
            }

            await _stream.FlushAsync(cancellationToken);
            for (var i = 0; i < chunk.Length; i++)
            {
                replies.Add(await ReadAsync(cancellationToken));
            }
        }

        return [.. replies.Select(reply => Decode(ThrowIfError(reply)))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _stream.Dispose();
    }

    private static object? ThrowIfError(object? reply) => reply is RespErrorException error ? throw error : reply;

    private static byte[][] Encode(string[] command) => [.. command.Select(Encoding.UTF8.GetBytes)];

    private static object? Decode(object? reply) => reply switch
    {
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        object?[] items => items.Select(Decode).ToArray(),
        _ => reply,
    };

    private async Task WriteAsync(byte[][] command, CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(Encoding.ASCII.GetBytes($"*{command.Length}\r\n"), cancellationToken);
        foreach (var argument in command)
        {
            await _stream.WriteAsync(Encoding.ASCII.GetBytes($"${argument.Length}\r\n"), cancellationToken);
            await _stream.WriteAsync(argument, cancellationToken);
            await _stream.WriteAsync("\r\n"u8.ToArray(), cancellationToken);
        }
    }

    private async Task<object?> ReadAsync(CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(cancellationToken);
        var rest = line[1..];
        switch (line[0])
        {
            case '+':
                return rest;
            case '-':
                return new RespErrorException(rest);
            case ':':
                return long.Parse(rest);
            case '$':
                var length = int.Parse(rest);
                if (length < 0)
                {
                    return null;
                }

                var bytes = new byte[length + 2];
                await _stream.ReadExactlyAsync(bytes, cancellationToken);
                return bytes[..length];
            case '*':
                var count = int.Parse(rest);
                if (count < 0)
                {
                    return null;
                }

                var items = new object?[count];
                for (var i = 0; i < count; i++)
                {
                    items[i] = await ReadAsync(cancellationToken);
                }

                return items;
            default:
                throw new InvalidDataException($"Not a RESP2 reply: {line}");
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (true)
        {
            await _stream.ReadExactlyAsync(one, cancellationToken);
            if (one[0] == '\n')
            {
                return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            }

            line.Add(one[0]);
        }
    }
}
