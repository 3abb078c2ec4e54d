using System.Runtime.ExceptionServices;
using Maintenance.Storage.Redis;
using StackExchange.Redis;

namespace Maintenance.Worker.RedisHealth;

/// <summary>How fast a node answers. What was measured before it fell silent counts too.</summary>
internal sealed record NodePings
{
    /// <summary>Whether it answered, and lets us in.</summary>
    public bool Up { get; private init; }

    /// <summary>The round trips; null without any.</summary>
    public PingFigures? Figures { get; private init; }

    /// <summary>It answers, and says that it does not serve; null otherwise.</summary>
    public ProbeFailure? Failure { get; private init; }

    /// <summary>Commands that it refuses.</summary>
    public IReadOnlyList<string> Refused { get; private init; } = [];

    /// <summary>What ended the measuring, if it answers no longer.</summary>
    public ExceptionDispatchInfo? Lost { get; private init; }

    /// <summary>Asks so many times.</summary>
    /// <param name="node">The node.</param>
    /// <param name="connection">To the node.</param>
    /// <param name="key">A key that may be asked for.</param>
    /// <param name="times">How often.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<NodePings> MeasureAsync(
        RedisNode node, RedisConnection connection, string key, int times, TimeProvider timeProvider, CancellationToken cancellationToken)
    {
        // ECHO costs the server what PING costs, and is answered also while PING is refused (MISCONF, LOADING): the canary tells those. An ACL may
        // refuse it; the others cost a little more.
        var commands = new Queue<(string Name, object[] Arguments)>([("ECHO", ["ping"]), ("TIME", []), ("GET", [key])]);
        var seconds = new List<double>(times);
        var refused = new List<string>();
        var found = new NodePings { Refused = refused };
        try
        {
            while (seconds.Count < times && commands.TryPeek(out var command))
            {
                var started = timeProvider.GetTimestamp();
                if (await AnswersAsync(node, connection, command.Name, command.Arguments, cancellationToken))
                {
                    seconds.Add(timeProvider.GetElapsedTime(started).TotalSeconds);
                }
                else
                {
                    refused.Add(command.Name);
                    commands.Dequeue();
                }

                found = found with { Up = true };
            }
        }
        catch (StorageUnavailableException exception) when (exception.Reason is UnavailableReason.NotServing)
        {
            // It answers, and says that it does not serve (loading, a replica without its primary): what it tells besides is worth having.
            found = found with { Up = !exception.CredentialsRefused, Failure = ProbeFailures.Describe(exception) };
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            found = found with { Lost = ExceptionDispatchInfo.Capture(exception) };
        }

        return found with { Figures = seconds.Count == 0 ? null : new PingFigures { Seconds = seconds } };
    }

    /// <summary>False for a refusal: an answer too, but one that says nothing of the speed.</summary>
    private static async Task<bool> AnswersAsync(
        RedisNode node, RedisConnection connection, string command, object[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            await node.ExecuteAsync(connection, command, arguments, cancellationToken);
            return true;
        }
        catch (RedisServerException)
        {
            return false;
        }
    }
}
