using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Redis;

/// <summary>deploy/redis/users.acl as text, and what start.sh is told beside it.</summary>
internal static class UserFile
{
    public const string AdminPassword = "a-password";

    /// <summary>The users of our programs.</summary>
    public static readonly string[] Programs = ["worker", "webhost"];

    public static string Folder { get; } = Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "redis");

    public static string PasswordOf(string user) => user switch { "worker" => "w-password", "webhost" => "h-password", _ => AdminPassword };

    /// <summary>The variables of start.sh.</summary>
    public static Dictionary<string, string?> Environment(string folder, string prefix = "", string users = "separate") => new(StringComparer.Ordinal)
    {
        ["REDIS_USERS"] = users,
        ["REDIS_ADMIN_PASSWORD"] = AdminPassword,
        ["REDIS_WORKER_PASSWORD"] = PasswordOf("worker"),
        ["REDIS_WEBHOST_PASSWORD"] = PasswordOf("webhost"),
        ["REDIS_DATA"] = folder,
        ["REDIS_RUN"] = folder,
        ["KEY_PREFIX"] = prefix,
    };

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
}
