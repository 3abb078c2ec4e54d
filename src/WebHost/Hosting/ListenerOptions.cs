using Maintenance.Pages;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Hosting;

/// <summary>Where the API is served. Bound from <c>Api</c>.</summary>
internal sealed class ApiOptions
{
    public const string Section = "Api";

    /// <summary>TCP port; 0 takes a free one. Default 8080.</summary>
    public int Port { get; set; } = 8080;

    /// <summary>Address to listen on: an IP address, <c>localhost</c>, or <c>*</c> for all. Default: all in a container, loopback elsewhere.</summary>
    public string Address { get; set; } = "";

    /// <summary>Largest body of a request, in bytes; an avatar has a limit of its own. 1 KiB to 1 MiB; default 64 KiB.</summary>
    public long MaxBodyBytes { get; set; } = 64 * 1024;

    /// <summary>Time that requests under way get at shutdown. Default 8 s.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(8);
}

/// <summary>Where probes, health and metrics are served. Bound from <c>Management</c>.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>TCP port; 0 takes a free one. Default 8082.</summary>
    public int Port { get; set; } = 8082;

    /// <summary>As <see cref="ApiOptions.Address"/>.</summary>
    public string Address { get; set; } = "";
}

internal sealed class ApiOptionsValidator : IValidateOptions<ApiOptions>
{
    public ValidateOptionsResult Validate(string? name, ApiOptions options)
    {
        var failures = new SettingFailures(ApiOptions.Section);
        failures.Check(options.Port is >= 0 and <= 65535, "Port", $"is {options.Port}; expected 0 to 65535");
        failures.Check(ListenerAddress.TryParse(options.Address, false, out _), "Address", $"is '{options.Address}'; expected an IP address, localhost or *");
        failures.Check(options.MaxBodyBytes is >= 1024 and <= 1024 * 1024, "MaxBodyBytes", $"is {options.MaxBodyBytes}; expected 1024 to 1048576");
        failures.Check(
            options.ShutdownTimeout >= TimeSpan.Zero && options.ShutdownTimeout <= TimeSpan.FromMinutes(10),
            "ShutdownTimeout",
            $"is {options.ShutdownTimeout}; expected 0 to 10 minutes");
        return failures.Result;
    }
}

internal sealed class ManagementOptionsValidator : IValidateOptions<ManagementOptions>
{
    public ValidateOptionsResult Validate(string? name, ManagementOptions options)
    {
        var failures = new SettingFailures(ManagementOptions.Section);
        failures.Check(options.Port is >= 0 and <= 65535, "Port", $"is {options.Port}; expected 0 to 65535");
        failures.Check(ListenerAddress.TryParse(options.Address, false, out _), "Address", $"is '{options.Address}'; expected an IP address, localhost or *");
        return failures.Result;
    }
}
