namespace Maintenance.Storage.Redis;

/// <summary>Why a call could not be answered.</summary>
public enum UnavailableReason
{
    /// <summary>No connection, or it broke.</summary>
    Connection,

    /// <summary>No answer within the deadline. The call may or may not have taken effect.</summary>
    Deadline,

    /// <summary>Redis is loading, read-only, without its primary, or its cluster is down.</summary>
    NotServing,

    /// <summary>Redis is at <c>maxmemory</c> and its policy lets nothing go. Nothing was written.</summary>
    OutOfMemory,

    /// <summary>Redis was away a moment ago, so it was not asked. Nothing was sent.</summary>
    Away,

    /// <summary>The keys are on their way to another node of the cluster, and did not arrive within the deadline. It can be tried again.</summary>
    Moving,

    /// <summary>The durable copy did not answer, and without it the question cannot be answered or the end of a session not be made sure.</summary>
    Archive,
}

/// <summary>Redis, or the durable copy, did not answer. The caller decides by its outage policy; denying is always right.</summary>
public sealed class StorageUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    public StorageUnavailableException(UnavailableReason reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>What kept it from answering.</summary>
    public UnavailableReason Reason { get; }

    /// <summary>Whether it is there and refused the user or the password.</summary>
    public bool CredentialsRefused { get; init; }

    /// <summary>Whether Redis goes on answering reads.</summary>
    internal bool OnlyWrites { get; init; }
}
