using System.Text.Json.Nodes;

namespace Maintenance.Storage.UserData;

/// <summary>
/// Something else that keeps data of users, and takes part when all of one user is exported or erased: an archive, a host's own tables. Register it as
/// a singleton.
/// </summary>
public interface IUserDataSource
{
    /// <summary>Names it in an export: lower snake case, for example <c>archive</c>.</summary>
    string Name { get; }

    /// <summary>What it holds of a user, without secrets; null when nothing.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<JsonNode?> ExportAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Erases what it holds of a user. Called when the user's generation has changed, before the store itself is emptied; safe to repeat.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Items erased.</returns>
    Task<long> EraseAsync(string userId, CancellationToken cancellationToken);
}
