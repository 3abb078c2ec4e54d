namespace Maintenance.Storage.OutageTests.Histories;

/// <content>What happens to Redis.</content>
internal sealed partial class OutageRun
{
    private async Task KillAsync()
    {
        if (dead)
        {
            return;
        }

        if (paused)
        {
            await redis.ResumeAsync();
            paused = false;
        }

        Ledger.Write("Kill");
        await redis.KillAsync();
        dead = true;
        if (!history.Durable)
        {
            Ledger.Lose();
        }
    }

    private async Task PauseAsync()
    {
        if (!dead && !paused)
        {
            Ledger.Write("Pause");
            await redis.PauseAsync();
            paused = true;
        }
    }

    private async Task ReviveAsync()
    {
        if (paused)
        {
            Ledger.Write("Revive");
            await redis.ResumeAsync();
            paused = false;
        }
        else if (dead)
        {
            Ledger.Write("Revive");
            await redis.RestartAsync();
            // It starts as it was configured.
            (dead, refuses) = (false, false);
        }
    }

    private async Task WipeAsync()
    {
        if (!dead && !paused && !refuses)
        {
            Ledger.Write("Wipe");
            // Before and after: what is created meanwhile may be lost or not.
            Ledger.Lose();
            await redis.FlushAllAsync();
            Ledger.Lose();
        }
    }

    private async Task RefuseWritesAsync()
    {
        refuses = !refuses;
        Ledger.Write(refuses ? "refuse writes" : "take writes");
        await redis.ExecuteAsync("CONFIG", "SET", "min-replicas-to-write", refuses ? "1" : "0");
    }
}
