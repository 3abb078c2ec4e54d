using Maintenance.WebHost.Database;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.Users;

/// <summary>
/// What each log-in asks the database, translated once instead of looked up by its shape each time. One a host, for a compiled query belongs to one model:
/// shared by two hosts of a process it would change between them under the feet of who runs it.
/// </summary>
internal sealed class UserQueries
{
    /// <summary>A user, with roles, by the normalized address.</summary>
    public Func<AuthDbContext, string, CancellationToken, Task<User?>> ByEmail { get; } = EF.CompileAsyncQuery(
        (AuthDbContext database, string email, CancellationToken _) => database.Users.Include(user => user.Roles).FirstOrDefault(user => user.NormalizedEmail == email));

    /// <summary>Whether an account is open, and since when it is as it is.</summary>
    public Func<AuthDbContext, Guid, CancellationToken, Task<AccountStanding?>> Standing { get; } = EF.CompileAsyncQuery(
        (AuthDbContext database, Guid id, CancellationToken _) =>
            database.Users.AsNoTracking().Where(user => user.Id == id).Select(user => new AccountStanding(user.SecurityStamp, user.DisabledAt)).FirstOrDefault());
}

/// <summary>Whether an account is open, and its stamp.</summary>
internal sealed record AccountStanding(string SecurityStamp, DateTimeOffset? DisabledAt);
