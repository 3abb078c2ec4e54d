using Maintenance.Pages;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Hosting;

/// <summary>The worker's one port: metrics, probes, status and the endpoints. Bound from <c>Management</c>.</summary>
public sealed class ManagementOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Management";

    /// <summary>TCP port. Default 8081.</summary>
    public int Port { get; set; } = 8081;

    /// <summary>
    /// Address to listen on: an IP address, <c>localhost</c>, or <c>*</c> for all. Default all in a container (<c>DOTNET_RUNNING_IN_CONTAINER</c>),
    /// where a probe comes from outside, and loopback elsewhere.
    /// </summary>
    public string Address { get; set; } = "";

    /// <summary>Bearer token for what changes something. None: those endpoints are off.</summary>
    public string? Token { get; set; }

    /// <summary>Puts everything but <c>/metrics</c> and the probes behind the token. Default false.</summary>
    public bool RequireToken { get; set; }

    /// <summary>Serves the status page at <c>/</c>. Default true.</summary>
    public bool StatusPage { get; set; } = true;

    /// <summary>How long a browser that gave the token stays signed in to the status page; another token ends it at once. Default 12 h.</summary>
    public TimeSpan SignInLife { get; set; } = TimeSpan.FromHours(12);
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class ManagementOptionsValidator : IValidateOptions<ManagementOptions>
{
    private const int ShortestToken = 16;

    public ValidateOptionsResult Validate(string? name, ManagementOptions options)
    {
        var failures = new List<string>();
        if (options.Port is < 1 or > 65535)
        {
            failures.Add($"Management:Port is {options.Port}; expected 1 to 65535.");
        }

        if (!ListenerAddress.TryParse(options.Address, inContainer: false, out _))
        {
            failures.Add($"Management:Address is '{options.Address}'; expected an IP address, localhost or *.");
        }

        if (options.Token is { Length: > 0 and < ShortestToken })
        {
            failures.Add($"Management:Token has {options.Token.Length} characters; a token that cannot be guessed has at least {ShortestToken}.");
        }

        if (options.RequireToken && string.IsNullOrEmpty(options.Token))
        {
            failures.Add("Management:RequireToken is true, but Management:Token is not set.");
        }

        if (options.SignInLife < TimeSpan.FromMinutes(1) || options.SignInLife > TimeSpan.FromDays(30))
        {
            failures.Add($"Management:SignInLife is {options.SignInLife}; expected 1 minute to 30 days.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
