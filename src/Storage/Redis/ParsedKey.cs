using Maintenance.Storage.Sessions;

namespace Maintenance.Storage.Redis;

/// <summary>What a key's name says.</summary>
/// <param name="Kind">The kind of state.</param>
/// <param name="User">Whose it is; the default value for kinds without a user.</param>
/// <param name="Id">The last part of kinds that have an id of 22 characters; otherwise the default value.</param>
public readonly record struct ParsedKey(StateKind Kind, UserReference User, SessionId Id);
