using System.Text;

namespace Maintenance.Storage.Redis;

/// <summary>The slot of a key: CRC16 (XMODEM) of its hash tag, or of the whole name if it has none, modulo 16,384. As the cluster specification says.</summary>
public static class HashSlot
{
    private const int Polynomial = 0x1021;

    /// <summary>0 to 16,383.</summary>
    public static int Of(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var open = key.IndexOf('{', StringComparison.Ordinal);
        var close = open < 0 ? -1 : key.IndexOf('}', open);
        // An empty tag counts as none.
        var tag = close > open + 1 ? key[(open + 1)..close] : key;
        var crc = 0;
        foreach (var octet in Encoding.UTF8.GetBytes(tag))
        {
            crc ^= octet << 8;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) == 0 ? crc << 1 : (crc << 1) ^ Polynomial;
            }

            crc &= 0xFFFF;
        }

        return crc % SlotRange.Slots;
    }
}
