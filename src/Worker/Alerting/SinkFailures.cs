namespace Maintenance.Worker.Alerting;

/// <summary>The receiver cannot take it now: asking again later may help.</summary>
internal sealed class SinkUnavailableException(string message, TimeSpan? retryAfter) : Exception(message)
{
    /// <summary>What the receiver asked for; null if it said nothing.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>The receiver will never take it: the address or the token is wrong, or it does not like the message.</summary>
internal sealed class SinkRefusedException(string message) : Exception(message);
