namespace Maintenance.Storage.Outage;

/// <summary>Where a host keeps its state.</summary>
public enum StorageMode
{
    /// <summary>In Redis; while Redis is away each kind of state follows its <see cref="OutagePolicy"/>.</summary>
    Auto,

    /// <summary>In Redis; while Redis is away everything is denied, whatever the policies say.</summary>
    Redis,

    /// <summary>In this process's memory. For one host, because no other one sees it.</summary>
    Memory,
}

/// <summary>What becomes of a kind of state while Redis is away.</summary>
public enum OutagePolicy
{
    /// <summary>Nothing is answered: the caller gets a <see cref="Maintenance.Storage.Redis.StorageUnavailableException"/>.</summary>
    Deny,

    /// <summary>
    /// This host's memory answers, and what only Redis knows is denied. Meant for one host: no replica can know that it is alone.
    /// </summary>
    Memory,
}
