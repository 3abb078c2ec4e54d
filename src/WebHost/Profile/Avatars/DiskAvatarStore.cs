using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Profile.Avatars;

/// <summary>Pictures as files: <c>ab/abcdef....png</c>, 128 random bits. A name that is not exactly of this form opens nothing, so none leads out of the folder.</summary>
internal sealed partial class DiskAvatarStore(IOptions<AvatarOptions> options, IHostEnvironment environment) : IAvatarStore
{
    private readonly string root = Path.GetFullPath(options.Value.Folder, environment.ContentRootPath);

    public async Task<string> SaveAsync(AvatarImage image, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var name = $"{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}.{image.Extension}";
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // Under a name that nobody can ask for until it is whole.
        var partial = $"{path}.part";
        try
        {
            await File.WriteAllBytesAsync(partial, bytes, cancellationToken);
            File.Move(partial, path);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }

        return name;
    }

    public StoredAvatar? Open(string name)
    {
        if (!Name().IsMatch(name))
        {
            return null;
        }

        try
        {
            var file = new FileStream(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 16 * 1024, FileOptions.Asynchronous);
            return new StoredAvatar(file, Path.GetExtension(name) switch { ".png" => "image/png", ".webp" => "image/webp", _ => "image/jpeg" });
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public void Delete(string name)
    {
        if (Name().IsMatch(name) && File.Exists(PathOf(name)))
        {
            File.Delete(PathOf(name));
        }
    }

    private string PathOf(string name) => Path.Combine(root, name[..2], name);

    [GeneratedRegex(@"^[0-9a-f]{32}\.(png|jpg|webp)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Name();
}
