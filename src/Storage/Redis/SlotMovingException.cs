namespace Maintenance.Storage.Redis;

/// <summary>A script was not run, because its keys are on their way to another node.</summary>
public sealed class SlotMovingException(string message, Exception? innerException = null) : Exception(message, innerException);
