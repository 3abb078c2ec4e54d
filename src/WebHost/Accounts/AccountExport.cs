using Maintenance.Storage.RateLimiting;
using Maintenance.Storage.UserData;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.RateLimits;
using Maintenance.WebHost.Sessions;

namespace Maintenance.WebHost.Accounts;

/// <summary>
/// Gives a user all that is known of him. It walks over the whole store, so a host makes one at a time, and a user gets few: otherwise some accounts
/// together could keep the store from everybody's log-ins.
/// </summary>
internal sealed class AccountExport(UserDataService data, IRateLimitStore limits, IAuditTrail audit, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim turn = new(1);

    public async Task<IResult> ExportAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!await TakeTurnAsync(cancellationToken))
        {
            return Problems.Unavailable(context.Response, "This host has other exports to make first. Try again later.", RetryAfter, "saturated");
        }

        try
        {
            var user = context.User.UserId();
            // Asked here and not before the endpoint: who had to wait in vain has not had one.
            var limit = await limits.AcquireAsync(new RateLimitRequest(Limits.Export, $"user:{user}"), cancellationToken);
            if (!limit.IsAllowed)
            {
                return LimitProblems.TooMany(context, limit);
            }

            var document = await data.ExportAsync(user, cancellationToken);
            audit.Record(context, new AuditEvent { Action = AuditActions.DataExported, UserId = user });
            return TypedResults.File(document, "application/json", "account.json");
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task<bool> TakeTurnAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(LongestWait, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await turn.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
