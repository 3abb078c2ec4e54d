using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Users;
using Microsoft.EntityFrameworkCore;

namespace Maintenance.WebHost.Database;

/// <summary>Users and the audit trail. The schema is that of the SQL files beside it; this only says how to read it.</summary>
internal sealed class AuthDbContext(DbContextOptions<AuthDbContext> options) : DbContext(options)
{
    public DbSet<User> Users => Set<User>();

    public DbSet<UserRole> UserRoles => Set<UserRole>();

    public DbSet<ExternalLogin> ExternalLogins => Set<ExternalLogin>();

    public DbSet<RecoveryCode> RecoveryCodes => Set<RecoveryCode>();

    public DbSet<AuditRecord> AuditEvents => Set<AuditRecord>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<User>(user =>
        {
            user.ToTable("users").HasKey(u => u.Id);
            user.Property(u => u.Id).ValueGeneratedNever();
            user.HasIndex(u => u.NormalizedEmail).IsUnique();
            user.Property(u => u.Version).IsConcurrencyToken();
            user.Ignore(u => u.Key);
            user.HasMany(u => u.Roles).WithOne().HasForeignKey(role => role.UserId);
            user.HasMany(u => u.Logins).WithOne().HasForeignKey(login => login.UserId);
            user.HasMany(u => u.RecoveryCodes).WithOne().HasForeignKey(code => code.UserId);
        });
        modelBuilder.Entity<UserRole>().ToTable("user_roles").HasKey(role => new { role.UserId, role.Role });
        modelBuilder.Entity<ExternalLogin>().ToTable("external_logins").HasKey(login => new { login.Provider, login.Subject });
        modelBuilder.Entity<RecoveryCode>().ToTable("recovery_codes").HasKey(code => new { code.UserId, code.Hash });
        modelBuilder.Entity<AuditRecord>(audit =>
        {
            audit.ToTable("audit_events").HasKey(a => a.Id);
            audit.Property(a => a.Id).ValueGeneratedOnAdd();
        });
        SnakeCase(modelBuilder);
    }

    private static void SnakeCase(ModelBuilder modelBuilder)
    {
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(entity => entity.GetProperties()))
        {
            property.SetColumnName(string.Concat(property.Name.Select((c, i) =>
                i > 0 && char.IsUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}")));
        }
    }
}
