using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using IPNetwork = System.Net.IPNetwork;

namespace Maintenance.WebHost.Hosting;

/// <summary>The proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed. Bound from <c>Proxies</c>; none by default.</summary>
internal sealed class ProxyOptions
{
    public const string Section = "Proxies";

    /// <summary>Addresses of proxies.</summary>
    public List<string> Addresses { get; set; } = [];

    /// <summary>Networks that hold nothing but proxies, for example <c>10.0.0.0/8</c>.</summary>
    public List<string> Networks { get; set; } = [];

    /// <summary>Entries read from the right end of the header, one a proxy. 1 to 10; default 1.</summary>
    public int ForwardLimit { get; set; } = 1;
}

internal sealed class ProxyOptionsValidator : IValidateOptions<ProxyOptions>
{
    public ValidateOptionsResult Validate(string? name, ProxyOptions options)
    {
        var failures = new SettingFailures(ProxyOptions.Section);
        for (var i = 0; i < options.Addresses.Count; i++)
        {
            failures.Check(IPAddress.TryParse(options.Addresses[i], out _), $"Addresses:{i}", $"is '{options.Addresses[i]}'; expected an IP address");
        }

        for (var i = 0; i < options.Networks.Count; i++)
        {
            failures.Check(IPNetwork.TryParse(options.Networks[i], out _), $"Networks:{i}", $"is '{options.Networks[i]}'; expected a network as 10.0.0.0/8");
        }

        failures.Check(options.ForwardLimit is >= 1 and <= 10, "ForwardLimit", $"is {options.ForwardLimit}; expected 1 to 10");
        return failures.Result;
    }
}

internal static class ForwardedProxies
{
    /// <summary>Takes address and scheme from the header when the connection comes from a configured proxy; without one the headers mean nothing.</summary>
    public static IApplicationBuilder UseConfiguredProxies(this IApplicationBuilder app)
    {
        var proxies = app.ApplicationServices.GetRequiredService<IOptions<ProxyOptions>>().Value;
        if (proxies.Addresses.Count == 0 && proxies.Networks.Count == 0)
        {
            return app;
        }

        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = proxies.ForwardLimit,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        proxies.Addresses.ForEach(address => options.KnownProxies.Add(IPAddress.Parse(address)));
        proxies.Networks.ForEach(network => options.KnownIPNetworks.Add(IPNetwork.Parse(network)));
        return app.UseForwardedHeaders(options);
    }
}
