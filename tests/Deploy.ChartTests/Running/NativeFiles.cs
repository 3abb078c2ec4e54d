using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>What .NET cannot do with files.</summary>
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

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeOwner(string path, int user, int group);
}
