namespace Maintenance.Storage.Sessions;

/// <summary>A record is of a format that this version does not know. It is never guessed at, changed or removed.</summary>
public sealed class UnsupportedRecordException(string message) : Exception(message);
