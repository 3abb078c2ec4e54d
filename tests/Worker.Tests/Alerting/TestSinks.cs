using System.Collections.Concurrent;
using Maintenance.Worker.Alerting;

namespace Maintenance.Worker.Tests.Alerting;

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingSink(string name) : IAlertSink
{
    private readonly ConcurrentQueue<AlertNotice> notices = [];

    public string Name => name;

    public IReadOnlyList<AlertNotice> Notices => [.. notices];

    public Task SendAsync(IReadOnlyList<AlertNotice> told, CancellationToken cancellationToken)
    {
        foreach (var notice in told)
        {
            notices.Enqueue(notice);
        }

        return Task.CompletedTask;
    }
}

/// <summary>Cannot be reached.</summary>
internal sealed class FailingSink : IAlertSink
{
    public string Name => "failing";

    public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken) => throw new HttpRequestException("refused");
}

/// <summary>Refuses for good.</summary>
internal sealed class RefusingSink : IAlertSink
{
    public string Name => "refusing";

    public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken) => throw new SinkRefusedException("answered 404");
}

/// <summary>Fails until it comes back.</summary>
internal sealed class AwaySink(IAlertSink behind) : IAlertSink
{
    private volatile bool here;
    private volatile IReadOnlyList<AlertNotice> offered = [];

    public string Name => "away";

    /// <summary>What it was last asked to take.</summary>
    public IReadOnlyList<AlertNotice> Offered => offered;

    public void ComeBack() => here = true;

    public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
    {
        offered = notices;
        return here ? behind.SendAsync(notices, cancellationToken) : throw new SinkUnavailableException("answered 503", null);
    }
}

/// <summary>Waits until it is opened.</summary>
internal sealed class GatedSink(IAlertSink behind) : IAlertSink
{
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "gated";

    public Task Entered => entered.Task;

    public void Open() => open.SetResult();

    public async Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken)
    {
        entered.TrySetResult();
        await open.Task;
        await behind.SendAsync(notices, cancellationToken);
    }
}

/// <summary>Never comes back.</summary>
internal sealed class HangingSink : IAlertSink
{
    public string Name => "hanging";

    // Does not even look at its token.
    public Task SendAsync(IReadOnlyList<AlertNotice> notices, CancellationToken cancellationToken) => new TaskCompletionSource().Task;
}
