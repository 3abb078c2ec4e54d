using System.Net;
using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Tests.Sessions;

/// <summary>Builds records as the scripts do; record.lua is the other side of it.</summary>
internal static class RecordBytes
{
    public const long Created = 1_700_000_000_000;
    public const long Generation = 1_700_000_000_123_456;

    public static byte[] Session(
        int version, string userId, IPAddress? ip = null, string? userAgent = null, string? device = null, Dictionary<string, string>? claims = null)
    {
        var (flags, body) = SessionRecordFormat.EncodeBody(userId, ip, userAgent, device, claims ?? []);
        List<byte> record = [(byte)version, flags];
        record.AddRange([.. Integer(Created, 6), .. Integer(Created + 60_000, 6), .. Integer(Created + 604_800_000, 6), .. Integer(Generation, 7), .. Integer(86_400, 4)]);
        if (version >= 2)
        {
            record.AddRange(Integer(Created + 1000, 6));
        }

        record.AddRange(body);
        return [.. record];
    }

    public static byte[] Integer(long value, int width) => [.. Enumerable.Range(0, width).Select(i => (byte)(value >> (8 * (width - 1 - i))))];
}
