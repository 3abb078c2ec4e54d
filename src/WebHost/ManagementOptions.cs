using System.Net;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost;

/// <summary>The port for probes and metrics. Bound from <c>Management</c>.</summary>
internal sealed class ManagementOptions
{
    public const string Section = "Management";

    /// <summary>Port. Default 8082.</summary>
    public int Port { get; set; } = 8082;

    /// <summary>Address to listen on. Default 0.0.0.0, because probes and scrapes come from other machines.</summary>
    public string Address { get; set; } = "0.0.0.0";
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
