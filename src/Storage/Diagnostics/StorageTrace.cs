using System.Diagnostics;

namespace Maintenance.Storage.Diagnostics;

/// <summary>
/// Spans of store operations. They name the store and the operation, and on failure the kind of error; never a key, a user or a token. Without a
/// listener none is made.
/// </summary>
public static class StorageTrace
{
    /// <summary>Name of the source, for whoever collects spans.</summary>
    public const string SourceName = "Maintenance.Storage";

    private static readonly ActivitySource Source = new(SourceName);

    internal static Activity? Start(string store, string operation)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var span = Source.StartActivity($"{store} {operation}", ActivityKind.Client);
        span?.SetTag("db.system.name", "redis");
        span?.SetTag("authstore.store", store);
        span?.SetTag("authstore.operation", operation);
        return span;
    }

    internal static void Failed(Activity? span, Exception exception)
    {
        span?.SetTag("error.type", AuthStoreMetrics.ErrorType(exception));
        span?.SetStatus(ActivityStatusCode.Error);
    }
}
