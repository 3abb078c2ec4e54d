using Maintenance.Storage.Histories.Running;
using Maintenance.Storage.Redis;
using Maintenance.Storage.Sessions;
using Maintenance.Storage.Sessions.Repair;

namespace Maintenance.Storage.Histories.PlantedBugs;

/// <summary>The product with one known bug each. The suite must find every one of them, or it proves nothing.</summary>
internal static class Plant
{
    /// <summary>A renewal that writes the record back as it was read, whether or not it still exists.</summary>
    public static Product RenewalWithoutExistingOnly { get; } = Product.Real with
    {
        Decorate = (store, connection, keys) => new WriteBackStore(store, connection, keys),
    };

    /// <summary>Neither validation nor renewal compares the generation.</summary>
    public static Product NoGenerationCheck { get; } = Product.Real with
    {
        Sessions = SessionScripts.Default with
        {
            CheckGeneration = false,
            Renew = Changed(SessionScripts.Default.Renew, ("read_generation(KEYS[3]) ~= record.generation", "false")),
        },
    };

    /// <summary>Puts back what the sweep missed without looking whether it still exists.</summary>
    public static Product AddsWithoutSecondLook { get; } = Product.Real with
    {
        Repairs = RepairScripts.Default with
        {
            Reconcile = Changed(
                RepairScripts.Default.Reconcile,
                ("local function verdict(id, seen)\n", """
                local function verdict(id, seen)
                  if seen == '' then
                    redis.call('ZADD', KEYS[1], text(now + 86400000), id)
                    live_until(KEYS[1], now + 86400000, now)
                    return 'missing'
                  end

                """)),
        },
    };

    /// <summary>Drops a member that the sweep suspected although its session, by now, is there and right.</summary>
    public static Product RemovesWithoutSecondLook { get; } = Product.Real with
    {
        Repairs = RepairScripts.Default with
        {
            Reconcile = Changed(
                RepairScripts.Default.Reconcile,
                ("<= tolerance then return 'ok' end", """
                <= tolerance then
                    if seen == '' then return 'ok' end
                    drop_member(id)
                    return 'dangling'
                  end
                """)),
        },
    };

    /// <summary>A log-in in two steps: the index member first, the record later.</summary>
    public static Product IndexBeforeRecord { get; } = Product.Real with
    {
        Sessions = SessionScripts.Default with
        {
            Create = Changed(SessionScripts.Default.Create, ("set_until(KEYS[1], record", $"set_until(KEYS[1] .. '{LateRecordStore.Suffix}', record")),
        },
        Decorate = (store, connection, keys) => new LateRecordStore(store, connection, keys),
    };

    /// <summary>A generation that counts from 1 again after it was lost.</summary>
    public static Product GenerationRestartsAtOne { get; } = Product.Real with
    {
        Sessions = SessionScripts.Default with
        {
            Create = Changed(SessionScripts.Default.Create, ("then generation = us end", "then generation = 1 end")),
            RevokeAll = Changed(
                SessionScripts.Default.RevokeAll,
                ("local generation = ARGV[5] and tonumber(ARGV[5]) or us", "local generation = (before or 0) + 1"),
                ("if before and before + 1 > generation then generation = before + 1 end", "")),
        },
    };

    /// <summary>A revoke-all that trusts the index and leaves the generation as it is.</summary>
    public static Product RevokeAllByIndexOnly { get; } = Product.Real with
    {
        Sessions = SessionScripts.Default with
        {
            RevokeAll = Changed(
                SessionScripts.Default.RevokeAll,
                ("local generation = ARGV[5] and tonumber(ARGV[5]) or us", "local generation = before or us"),
                ("if before and before + 1 > generation then generation = before + 1 end", "")),
        },
    };

    /// <summary>A rotation that leaves the old record where it was.</summary>
    public static Product RotationKeepsOldRecord { get; } = Product.Real with
    {
        Sessions = SessionScripts.Default with
        {
            Rotate = Changed(SessionScripts.Default.Rotate, ("redis.call('SET', KEYS[1], string.char(1, ALIAS)", "local _ = (string.char(1, ALIAS)"), (", 'PX', text(math.min(grace, expires - now)))", ")")),
        },
    };

    private static RedisScript Changed(RedisScript script, params ReadOnlySpan<(string Old, string New)> changes)
    {
        var text = script.Text;
        foreach (var (old, changed) in changes)
        {
            if (!text.Contains(old, StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"{script.Name} no longer holds \"{old}\": plant the bug in its new text.");
            }

            text = text.Replace(old, changed, StringComparison.Ordinal);
        }

        return RedisScript.FromText($"{script.Name} with a planted bug", text);
    }
}
