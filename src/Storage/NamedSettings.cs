using Microsoft.Extensions.Configuration;

namespace Maintenance.Storage;

/// <summary>
/// Binds settings that stand below names of the operator's choice: policies, providers, webhooks. The framework's binder leaves out, without a word, an entry
/// of a dictionary with a value that it cannot convert, and a policy whose limit has a typing error would be the default one.
/// </summary>
public static class NamedSettings
{
    /// <summary>Binds every child of a section into the entry of its name, which is made if it is not there.</summary>
    /// <param name="section">The section whose children are the names.</param>
    /// <param name="entries">Entries that are there already keep what the section does not set.</param>
    /// <exception cref="InvalidOperationException">A value cannot be converted, or a setting does not exist; the message names it.</exception>
    public static void Bind<T>(IConfiguration section, IDictionary<string, T> entries)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(section);
        ArgumentNullException.ThrowIfNull(entries);
        var known = typeof(T).GetProperties().Select(property => property.Name).Order(StringComparer.Ordinal).ToList();
        foreach (var child in section.GetChildren())
        {
            foreach (var setting in child.GetChildren().Where(setting => !known.Contains(setting.Key, StringComparer.OrdinalIgnoreCase)))
            {
                throw new InvalidOperationException($"{setting.Path} is no setting; expected one of {string.Join(", ", known)}.");
            }

            if (!entries.TryGetValue(child.Key, out var entry))
            {
                entries[child.Key] = entry = new T();
            }

            child.Bind(entry);
        }
    }
}
