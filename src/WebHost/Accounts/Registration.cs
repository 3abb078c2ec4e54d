using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Maintenance.WebHost.Passwords;
using Maintenance.WebHost.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Accounts;

/// <summary>
/// Registers an account. For an address that has one the same is done: a look-up, a hash, one row written, a message posted; and the same is answered.
/// Only the owner of the address learns the difference, by mail.
/// </summary>
internal sealed class Registration(
    UserManager<User> users,
    AuthDbContext database,
    PasswordPolicy policy,
    PasswordWork passwords,
    AccountMail mail,
    IAuditTrail audit,
    TimeProvider clock,
    IOptionsMonitor<AccountOptions> options)
{
    public async Task<IResult> RegisterAsync(RegisterRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        var (email, name) = (request.Email, request.Name.Trim());
        if (name.Length == 0)
        {
            return Problems.Invalid("name", "A name is required.");
        }

        if (await policy.RefusalAsync(request.Password, email, name, cancellationToken) is { } refusal)
        {
            return Problems.Invalid("password", refusal);
        }

        var known = await users.FindByEmailAsync(email);
        var hash = await passwords.HashAsync(request.Password, cancellationToken);
        if (known is not null || !await CreateAsync(new User { Email = email, Name = name, PasswordHash = hash, CreatedAt = clock.GetUtcNow() }, context))
        {
            database.AuditEvents.Add(audit.Prepare(new AuditEvent { Action = AuditActions.RegistrationRepeated, Succeeded = false, UserId = known?.Key }.From(context)));
            await database.SaveChangesAsync(cancellationToken);
            mail.SendAlreadyRegistered(email);
        }

        return TypedResults.Created((string?)null, new Registered(email, name, options.CurrentValue.RequireVerifiedEmail));
    }

    private async Task<bool> CreateAsync(User user, HttpContext context)
    {
        var result = await users.CreateAsync(user);
        if (!result.Succeeded)
        {
            // Somebody was faster with the same address.
            return false;
        }

        audit.Record(context, new AuditEvent { Action = AuditActions.Registered, UserId = user.Key });
        mail.SendVerification(user.Email);
        return true;
    }
}
