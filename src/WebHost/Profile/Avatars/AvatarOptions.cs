using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Profile.Avatars;

/// <summary>Pictures of users. Bound from <c>Avatars</c>.</summary>
internal sealed class AvatarOptions
{
    public const string Section = "Avatars";

    /// <summary>Largest picture, in bytes; also the bound of the request's body.</summary>
    public const int MaxBytes = 2 * 1024 * 1024;

    /// <summary>Folder; with several hosts a volume that they share. Relative to the program's folder. Default <c>avatars</c>.</summary>
    public string Folder { get; set; } = "avatars";

    /// <summary>Longest side of a picture in pixels: a small file can hold a huge picture that chokes whoever decodes it. 16 to 16,384; default 4,096.</summary>
    public int MaxSide { get; set; } = 4096;
}

/// <summary>Stops the start with the name of each wrong setting.</summary>
internal sealed class AvatarOptionsValidator : IValidateOptions<AvatarOptions>
{
    public ValidateOptionsResult Validate(string? name, AvatarOptions options)
    {
        var failures = new SettingFailures(AvatarOptions.Section);
        failures.Check(!string.IsNullOrWhiteSpace(options.Folder), "Folder", "is empty");
        failures.Check(options.MaxSide is >= 16 and <= 16_384, "MaxSide", $"is {options.MaxSide}; expected 16 to 16384");
        return failures.Result;
    }
}
