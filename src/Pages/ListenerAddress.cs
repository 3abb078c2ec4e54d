using System.Net;

namespace Maintenance.Pages;

/// <summary>Reads addresses to listen on, as the settings of both programs write them.</summary>
public static class ListenerAddress
{
    /// <summary>The address; <see cref="IPAddress.IPv6Any"/> for all.</summary>
    /// <param name="address">An IP address, <c>localhost</c>, <c>*</c> for all, or nothing: all in a container, loopback elsewhere.</param>
    /// <param name="inContainer">Whether the program runs in a container, where a probe comes from outside.</param>
    /// <param name="parsed">The address to bind.</param>
    public static bool TryParse(string address, bool inContainer, out IPAddress parsed)
    {
        ArgumentNullException.ThrowIfNull(address);
        parsed = IPAddress.Loopback;
        switch (address)
        {
            case "":
                parsed = inContainer ? IPAddress.IPv6Any : IPAddress.Loopback;
                return true;
            case "*":
                parsed = IPAddress.IPv6Any;
                return true;
            case "localhost":
                return true;
            default:
                return IPAddress.TryParse(address.Trim('[', ']'), out parsed!);
        }
    }
}
