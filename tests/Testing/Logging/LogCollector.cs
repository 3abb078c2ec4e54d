using Microsoft.Extensions.Logging;

namespace Maintenance.Testing;

/// <summary>One log entry as a test sees it.</summary>
/// <param name="Category">Category, usually the class.</param>
/// <param name="Level">Level.</param>
/// <param name="Event">Event id and name.</param>
/// <param name="Message">The formatted message.</param>
/// <param name="Values">The message's values by name.</param>
/// <param name="Error">The exception logged with it, if any.</param>
public sealed record LogEntry(
    string Category,
    LogLevel Level,
    EventId Event,
    string Message,
    IReadOnlyDictionary<string, object?> Values,
    Exception? Error);

/// <summary>Collects log entries: a provider for a host (<c>logging.AddProvider</c>), or loggers for a class under test.</summary>
public sealed class LogCollector : ILoggerProvider, ILoggerFactory
{
    private readonly Lock _gate = new();
    private readonly List<LogEntry> _entries = [];

    /// <summary>Everything so far, in order.</summary>
    public IReadOnlyList<LogEntry> Entries
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries];
            }
        }
    }

    /// <summary>Entries with an event id.</summary>
    public IReadOnlyList<LogEntry> WithEvent(int id) => [.. Entries.Where(entry => entry.Event.Id == id)];

    /// <summary>A logger for a class under test.</summary>
    public ILogger<T> For<T>() => new Logger<T>(this);

    /// <inheritdoc cref="ILoggerProvider.CreateLogger"/>
    public ILogger CreateLogger(string categoryName) => new CategoryLogger(this, categoryName);

    /// <summary>Does nothing: this is the only place entries go to.</summary>
    public void AddProvider(ILoggerProvider provider)
    {
    }

    /// <summary>Forgets what was collected.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _entries.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Add(LogEntry entry)
    {
        lock (_gate)
        {
            _entries.Add(entry);
        }
    }

    private sealed class CategoryLogger(LogCollector owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var (name, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? [])
            {
                values[name] = value;
            }

            owner.Add(new LogEntry(category, logLevel, eventId, formatter(state, exception), values, exception));
        }
    }
}
