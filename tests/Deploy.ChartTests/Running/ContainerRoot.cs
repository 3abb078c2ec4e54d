using System.Text.Json.Nodes;
using Maintenance.Deploy.ChartTests.Images;
using Maintenance.Deploy.ChartTests.Rendering;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>
/// A root folder as a container of the pod has it: the published program where the Dockerfile puts it, the host's <c>/usr</c> and a few files of its <c>/etc</c> for what an
/// image's base brings, and the pod's volumes at their mount paths. Everything else is read-only.
/// </summary>
internal sealed class ContainerRoot : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _mounts = [];
    private readonly Manifests _manifests;
    private readonly IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> _secrets;
    private readonly JsonNode _spec;

    public ContainerRoot(
        JsonNode spec,
        Manifests manifests,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> secrets,
        ImageFile? image)
    {
        _spec = spec;
        _manifests = manifests;
        _secrets = secrets;
        foreach (var name in (string[])["usr", "etc", "dev", "proc", "tmp"])
        {
            Directory.CreateDirectory(_folder.In("root", name));
        }

        foreach (var name in (string[])["bin", "sbin", "lib", "lib64"])
        {
            // Debian has these in /usr.
            File.CreateSymbolicLink(_folder.In("root", name), $"usr/{name}");
        }

        foreach (var name in (string[])["hosts", "nsswitch.conf", "resolv.conf"])
        {
            File.Copy($"/etc/{name}", _folder.In("root", "etc", name));
        }

        // Other users may pass, as in an image.
        NativeFiles.Allow(_folder.Path, "755");
        if (image is not null)
        {
            NativeFiles.Copy(PublishedPrograms.FolderOf(image.Name), _folder.In(["root", .. Parts(image.WorkingFolder)]));
        }

        foreach (var mount in spec.Items("containers.0.volumeMounts"))
        {
            Mount(mount, spec.Items("volumes").Single(volume => volume.Text("name") == mount.Text("name")));
        }

        File.WriteAllLines(Path + ".mounts", _mounts);
    }

    public string Path => _folder.In("root");

    public int User => int.Parse(_spec.Text("containers.0.securityContext.runAsUser") ?? _spec.Text("securityContext.runAsUser")!);

    public int Group => int.Parse(_spec.Text("securityContext.runAsGroup")!);

    public void Dispose() => _folder.Dispose();

    private void Mount(JsonNode mount, JsonNode volume)
    {
        var target = mount.Text("mountPath")!;
        var name = volume.Text("name")!;
        var folder = Directory.CreateDirectory(_folder.In("volumes", name)).FullName;
        if (volume["emptyDir"] is { } empty)
        {
            Point(target, isFile: false);
            if (empty.Text("medium") == "Memory")
            {
                _mounts.Add($"memory\t{Bytes(empty.Text("sizeLimit") ?? "64Mi")}\t{target}");
            }
            else
            {
                Own(folder, "777");
                _mounts.Add($"rw\t{folder}\t{target}");
            }

            return;
        }

        IEnumerable<KeyValuePair<string, string>> files = volume switch
        {
            _ when volume.Text("configMap.name") is { } map => _manifests["ConfigMap", map].Strings("data"),
            _ when volume.Text("secret.secretName") is { } secret => Secret(secret),
            _ => throw new NotSupportedException($"A volume {volume.ToJsonString()}."),
        };
        var mode = Convert.ToString(int.Parse(volume.Text("secret.defaultMode") ?? volume.Text("configMap.defaultMode") ?? "420"), 8);
        foreach (var (file, content) in files)
        {
            Own(_folder.Write($"volumes/{name}/{file}", content), mode);
        }

        var sub = mount.Text("subPath");
        Point(target, isFile: sub is not null);
        _mounts.Add($"ro\t{(sub is null ? folder : System.IO.Path.Combine(folder, sub))}\t{target}");
    }

    // As the kubelet does: root owns the file, its group is the pod's.
    private void Own(string path, string mode)
    {
        NativeFiles.Own(path, user: 0, int.Parse(_spec.Text("securityContext.fsGroup")!));
        NativeFiles.Allow(path, mode);
    }

    private void Point(string target, bool isFile)
    {
        var at = _folder.In(["root", .. Parts(target)]);
        Directory.CreateDirectory(isFile ? System.IO.Path.GetDirectoryName(at)! : at);
        if (isFile && !File.Exists(at))
        {
            File.WriteAllText(at, "");
        }
    }

    /// <summary>The data of a Secret: one the chart makes, or one that the test says somebody made before.</summary>
    public IReadOnlyDictionary<string, string> Secret(string name) => _secrets.TryGetValue(name, out var data)
        ? data
        : _manifests["Secret", name].Strings("data").ToDictionary(
            item => item.Key, item => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(item.Value)), StringComparer.Ordinal);

    private static long Bytes(string quantity) => (long)new k8s.Models.ResourceQuantity(quantity).ToDecimal();

    private static string[] Parts(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);
}
