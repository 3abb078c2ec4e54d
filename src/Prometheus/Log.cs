using Microsoft.Extensions.Logging;

namespace Maintenance.Prometheus;

/// <summary>Messages of the exporter; event ids 4000 to 4099.</summary>
internal static partial class Log
{
    [LoggerMessage(4000, LogLevel.Warning,
        "Instrument {Instrument} of meter {Meter} is not exported: {Reason}")]
    public static partial void InstrumentDropped(ILogger logger, string instrument, string meter, string reason);

    [LoggerMessage(4001, LogLevel.Warning,
        "The callback of instrument {Instrument} of meter {Meter} failed; its series are absent until it succeeds")]
    public static partial void CallbackFailed(ILogger logger, Exception exception, string instrument, string meter);

    [LoggerMessage(4002, LogLevel.Warning,
        "Metric {Metric} has reached {Limit} series; measurements with further label sets are dropped")]
    public static partial void SeriesLimitReached(ILogger logger, string metric, int limit);
}
