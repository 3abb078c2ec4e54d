using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Maintenance.Testing;

/// <summary>A span as it was received.</summary>
/// <param name="Scope">Name of the source.</param>
/// <param name="Name">Name.</param>
/// <param name="TraceId">Trace, hexadecimal.</param>
/// <param name="SpanId">Span, hexadecimal.</param>
/// <param name="ParentId">Span above it, hexadecimal; empty for a root.</param>
/// <param name="Attributes">Attributes; values that are no text as their text.</param>
/// <param name="Failed">Whether its status is an error.</param>
public sealed record ReceivedSpan(
    string Scope, string Name, string TraceId, string SpanId, string ParentId, IReadOnlyDictionary<string, string> Attributes, bool Failed);

/// <summary>Receives spans by OTLP over HTTP (protobuf) on loopback.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<ReceivedSpan> spans = new();
    private readonly ConcurrentQueue<byte[]> bodies = new();

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        app = builder.Build();
        app.MapPost("/v1/traces", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            bodies.Enqueue(body.ToArray());
            Read(body.ToArray());
            return Results.Bytes([], "application/x-protobuf");
        });
    }

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, with <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> = <c>http/protobuf</c>.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Everything so far.</summary>
    public IReadOnlyList<ReceivedSpan> Spans => [.. spans];

    /// <summary>Everything that was sent, as text, to look for what must not be there.</summary>
    public string Text => string.Concat(bodies.Select(Encoding.Latin1.GetString));

    /// <summary>Starts one on a free port.</summary>
    public static async Task<OtlpReceiver> StartAsync()
    {
        var receiver = new OtlpReceiver();
        await receiver.app.StartAsync();
        receiver.Endpoint = receiver.app.Urls.Single();
        return receiver;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    // ExportTraceServiceRequest: resource_spans = 1; in it scope_spans = 2; in it scope = 1 (name = 1) and spans = 2.
    private void Read(byte[] request)
    {
        foreach (var scope in Fields(request).Where(f => f.Number == 1).SelectMany(f => Fields(f.Bytes)).Where(f => f.Number == 2).Select(f => Fields(f.Bytes).ToList()))
        {
            var name = scope.Where(f => f.Number == 1).SelectMany(f => Fields(f.Bytes)).Where(f => f.Number == 1).Select(Utf8).FirstOrDefault("");
            foreach (var span in scope.Where(f => f.Number == 2).Select(f => Fields(f.Bytes).ToList()))
            {
                spans.Enqueue(new ReceivedSpan(
                    name,
                    span.Where(f => f.Number == 5).Select(Utf8).FirstOrDefault(""),
                    Hex(span, 1),
                    Hex(span, 2),
                    Hex(span, 4),
                    span.Where(f => f.Number == 9).Select(f => Fields(f.Bytes).ToList()).ToDictionary(Key, Value, StringComparer.Ordinal),
                    span.Where(f => f.Number == 15).SelectMany(f => Fields(f.Bytes)).Any(f => f is { Number: 3, Value: 2 })));
            }
        }
    }

    private static string Key(List<Field> pair) => Utf8(pair.First(f => f.Number == 1));

    private static string Value(List<Field> pair)
    {
        var value = pair.Where(f => f.Number == 2).SelectMany(f => Fields(f.Bytes)).FirstOrDefault();
        return value.Number == 1 ? Utf8(value) : value.Number == 2 ? (value.Value == 1 ? "true" : "false") : $"{value.Value}";
    }

    private static string Hex(List<Field> fields, int number) => Convert.ToHexStringLower(fields.FirstOrDefault(f => f.Number == number).Bytes.Span);

    private static string Utf8(Field field) => Encoding.UTF8.GetString(field.Bytes.Span);

    private static IEnumerable<Field> Fields(ReadOnlyMemory<byte> message)
    {
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message.Span, ref at);
            var number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    yield return new Field(number, Varint(message.Span, ref at), default);
                    break;
                case 2:
                    var length = (int)Varint(message.Span, ref at);
                    yield return new Field(number, 0, message.Slice(at, length));
                    at += length;
                    break;
                default:
                    at += (tag & 7) == 1 ? 8 : 4;
                    break;
            }
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = bytes[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }

    private readonly record struct Field(int Number, ulong Value, ReadOnlyMemory<byte> Bytes);
}
