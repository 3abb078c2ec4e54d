namespace Maintenance.Storage.Redis;

/// <summary>The Sentinels name no primary, or a server that is none.</summary>
public sealed class NoPrimaryException(string message) : Exception(message);
