using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>Which error replies mean that Redis is not serving, as opposed to refusing this one command.</summary>
internal static class ServerErrors
{
    // Error codes of Redis 6 and 7 (server.c, shared.*err); inside scripts some arrive in the middle of the text.
    private static readonly string[] NotServing =
        ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "MISCONF", "NOREPLICAS", "BUSY ", "NOAUTH", "WRONGPASS"];

    // A replica, a server that cannot persist, or one without enough replicas refuses writes and goes on answering reads.
    private static readonly string[] WriteRefusals = ["READONLY", "MISCONF", "NOREPLICAS"];

    /// <summary>
    /// Whether some of the keys are on their way to another node: Redis refused because it has only a part of them, or a script met one that has left
    /// already, or the node that the client was sent to sent it on (it follows one MOVED a command, and knows the next node then). The scripts are
    /// written so that they can be run again from the start.
    /// </summary>
    public static bool Moving(string message) =>
        message.StartsWith("TRYAGAIN", StringComparison.Ordinal)
        || message.Contains("non local key", StringComparison.Ordinal)
        || message.Contains("redirect not followed", StringComparison.Ordinal);

    /// <summary>The same of what a call threw.</summary>
    public static bool Moving(Exception exception) =>
        exception is SlotMovingException || (exception is RedisServerException && Moving(exception.Message));

    /// <summary>Whether the server goes on answering reads.</summary>
    public static bool OnlyWrites(string message) =>
        Array.Exists(WriteRefusals, code => message.StartsWith(code, StringComparison.Ordinal) || message.Contains("-" + code, StringComparison.Ordinal));

    /// <summary>Whether the server refused user or password.</summary>
    public static bool Credentials(string message) =>
        message.Contains("NOAUTH", StringComparison.Ordinal) || message.Contains("WRONGPASS", StringComparison.Ordinal);

    public static UnavailableReason? Reason(string message)
    {
        if (Moving(message))
        {
            return UnavailableReason.Moving;
        }

        if (message.Contains("OOM command not allowed", StringComparison.Ordinal))
        {
            return UnavailableReason.OutOfMemory;
        }

        foreach (var code in NotServing)
        {
            if (message.StartsWith(code, StringComparison.Ordinal) || message.Contains("-" + code, StringComparison.Ordinal))
            {
                return UnavailableReason.NotServing;
            }
        }

        return null;
    }
}
