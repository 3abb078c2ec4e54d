using Microsoft.Extensions.Options;

namespace Maintenance.Testing;

/// <summary>Options that a test gives, in every form that a class may ask for.</summary>
public sealed class FixedOptions<T>(T value) : IOptionsMonitor<T>, IOptions<T>
    where T : class
{
    /// <inheritdoc/>
    public T CurrentValue { get; set; } = value;

    /// <inheritdoc/>
    public T Value => CurrentValue;

    /// <inheritdoc/>
    public T Get(string? name) => CurrentValue;

    /// <inheritdoc/>
    public IDisposable? OnChange(Action<T, string?> listener) => null;
}
