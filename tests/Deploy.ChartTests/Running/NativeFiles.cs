using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>What .NET cannot do with files, or not on every system.</summary>
internal static partial class NativeFiles
{
    /// <exception cref="Win32Exception">It is not allowed; only root may give files away.</exception>
    public static void Own(string path, int user, int group)
    {
        if (ChangeOwner(path, user, group) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"chown {user}:{group} {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>Sets the permissions, in octal.</summary>
    public static void Allow(string path, string mode)
    {
        if (ChangeMode(path, Convert.ToUInt32(mode, 8)) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"chmod {mode} {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>Copies a folder without its contents: the files are the same ones under a second name, which takes no time and no room.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        }

        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            if (Link(file, target) != 0)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError(), $"link {file} {target}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Link(string existing, string added);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeOwner(string path, int user, int group);
}
