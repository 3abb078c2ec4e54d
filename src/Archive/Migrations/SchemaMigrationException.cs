namespace Maintenance.Archive.Migrations;

/// <summary>The database cannot be brought to this program's schema. Nothing was changed; the message names the script.</summary>
public sealed class SchemaMigrationException(string message, Exception? innerException = null) : Exception(message, innerException);
