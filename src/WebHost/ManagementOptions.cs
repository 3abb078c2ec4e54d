using System.Net;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost;

/// <summary>The port for probes and metrics. Bound from <c>Management</c>.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>Port. Default 8082.</summary>
    public int Port { get; set; } = 8082;

    /// <summary>
    /// Address to listen on. Default all in a container (<c>DOTNET_RUNNING_IN_CONTAINER</c>), where probes come from outside, and loopback elsewhere.
    /// </summary>
    public string Address { get; set; } =
        string.Equals(Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER"), "true", StringComparison.OrdinalIgnoreCase) ? "0.0.0.0" : "127.0.0.1";
}

internal sealed class ManagementOptionsValidator : IValidateOptions<ManagementOptions>
{
    public ValidateOptionsResult Validate(string? name, ManagementOptions options)
    {
        var failures = new List<string>();
        if (options.Port is < 0 or > 65535)
        {
            failures.Add($"Management:Port is {options.Port}; expected 0 to 65535.");
        }

        if (!IPAddress.TryParse(options.Address, out _))
        {
            failures.Add($"Management:Address is '{options.Address}'; expected an IP address, for example 127.0.0.1 or 0.0.0.0.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
