using Microsoft.EntityFrameworkCore;

namespace Maintenance.Archive;

/// <summary>The archive's tables, as <c>Schema</c> makes them.</summary>
internal sealed class ArchiveContext(DbContextOptions<ArchiveContext> options) : DbContext(options)
{
    public DbSet<SessionRow> Sessions => Set<SessionRow>();

    public DbSet<UserRow> Users => Set<UserRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<SessionRow>(session =>
        {
            session.ToTable("archive_sessions");
            session.HasKey(row => new { row.UserRef, row.Sid });
            session.Property(row => row.UserRef).HasColumnName("user_ref");
            session.Property(row => row.Sid).HasColumnName("sid");
            session.Property(row => row.Generation).HasColumnName("generation");
            session.Property(row => row.Record).HasColumnName("record");
            session.Property(row => row.LastSeenAt).HasColumnName("last_seen_at");
            session.Property(row => row.ExpiresAt).HasColumnName("expires_at");
            session.Property(row => row.EndedAt).HasColumnName("ended_at");
            session.Property(row => row.KeepUntil).HasColumnName("keep_until");
        });
        modelBuilder.Entity<UserRow>(user =>
        {
            user.ToTable("archive_users");
            user.HasKey(row => row.UserRef);
            user.Property(row => row.UserRef).HasColumnName("user_ref");
            user.Property(row => row.Generation).HasColumnName("generation");
            user.Property(row => row.ChangedAt).HasColumnName("changed_at");
            user.Property(row => row.KeepUntil).HasColumnName("keep_until");
        });
    }
}

/// <summary>A session, as far as it is read; the rest is written by statements that lock.</summary>
internal sealed class SessionRow
{
    public required string UserRef { get; init; }

    public required string Sid { get; init; }

    public long Generation { get; init; }

    public byte[]? Record { get; init; }

    public DateTimeOffset? LastSeenAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public DateTimeOffset KeepUntil { get; init; }
}

/// <summary>A user's generation.</summary>
internal sealed class UserRow
{
    public required string UserRef { get; init; }

    public long Generation { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public DateTimeOffset KeepUntil { get; init; }
}
