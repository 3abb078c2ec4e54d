using System.Security.Cryptography;
using System.Text;
using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>deploy/redis/users.acl as text, and what a user in it may do.</summary>
internal static class UserFile
{
    public const string AdminPassword = "admin-password-of-a-test";
    public const string ProgramPassword = "program-password-of-a-test";

    public static string Folder { get; } = Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "redis");

    /// <summary>The words behind a user's password.</summary>
    public static IReadOnlyList<string> RightsOf(string user)
    {
        var lines = File.ReadAllText(Path.Combine(Folder, "users.acl")).Split('\n').ToList();
        var first = lines.FindIndex(line => line.StartsWith($"user {user} on ", StringComparison.Ordinal));
        var rest = lines.Skip(first + 1).TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal));
        return [.. string.Join(' ', rest.Prepend(lines[first])).Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(4)];
    }

    /// <summary>Commands that a user may run, subcommands as <c>config|get</c>, those of its selectors included.</summary>
    public static IReadOnlyList<string> CommandsOf(string user) =>
        [.. RightsOf(user).Select(word => word.Trim('(', ')')).Where(word => word.StartsWith('+')).Select(word => word[1..]).Distinct(StringComparer.Ordinal)];

    /// <summary>What a server starts with: <c>default</c> with all rights and an admin. Line 1 of the client cannot send another user's name.</summary>
    public static string Unrestricted { get; } =
        $"user default on #{Hash(ProgramPassword)} ~* &* +@all\nuser admin on #{Hash(AdminPassword)} allkeys allchannels +@all\n";

    private static string Hash(string password) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(password)));
}
