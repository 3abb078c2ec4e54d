using System.Reflection;
using Maintenance.Storage.Archive;

namespace Maintenance.Worker.RedisTests.SessionCleanup;

/// <summary>An archive in which nothing is to be cleaned; it tells when it was asked.</summary>
public class OrderedArchive : DispatchProxy
{
    private Func<Task> asked = () => Task.CompletedTask;

    public static ISessionArchive Of(Func<Task> asked)
    {
        var archive = Create<ISessionArchive, OrderedArchive>();
        ((OrderedArchive)(object)archive).asked = asked;
        return archive;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        nameof(ISessionArchive.DeleteExpiredAsync) => NoneAsync(),
        nameof(ISessionArchive.ForgetAsync) => Task.FromResult(0),
        _ => throw new NotSupportedException(targetMethod.Name),
    };

    private async Task<int> NoneAsync()
    {
        await asked();
        return 0;
    }
}
