using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Maintenance.Archive.Migrations;

/// <summary>The ordered SQL scripts of one schema: <c>0001_what_it_does.sql</c> and so on. Several sets live in one database without meeting.</summary>
public sealed partial class ScriptSet
{
    /// <summary>Creates a set.</summary>
    /// <param name="name">Stands beside each applied script in the database; never change it.</param>
    /// <param name="scripts">File name and SQL of each.</param>
    /// <exception cref="ArgumentException">A file name is not of the form, or two have one number.</exception>
    public ScriptSet(string name, IEnumerable<KeyValuePair<string, string>> scripts)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(scripts);
        Name = name;
        Scripts = [.. scripts.Select(script => new SchemaScript(script.Key, script.Value)).OrderBy(script => script.Name, StringComparer.Ordinal)];
        for (var i = 0; i < Scripts.Count; i++)
        {
            if (!FileName().IsMatch(Scripts[i].Name))
            {
                throw new ArgumentException($"Script '{Scripts[i].Name}' of {name}: expected four digits, an underscore, a name in lower case, and .sql.", nameof(scripts));
            }

            if (i > 0 && Scripts[i].Name.AsSpan(0, 4).SequenceEqual(Scripts[i - 1].Name.AsSpan(0, 4)))
            {
                throw new ArgumentException($"Scripts '{Scripts[i - 1].Name}' and '{Scripts[i].Name}' of {name} have one number.", nameof(scripts));
            }
        }
    }

    /// <summary>Name of the set.</summary>
    public string Name { get; }

    /// <summary>The scripts in the order in which they are applied.</summary>
    public IReadOnlyList<SchemaScript> Scripts { get; }

    /// <summary>A set of embedded resources: every <c>.sql</c> directly under a folder.</summary>
    /// <param name="name">Stands beside each applied script in the database; never change it.</param>
    /// <param name="assembly">Holds the resources, whose logical names are their paths with forward slashes.</param>
    /// <param name="folder">The folder, for example <c>Schema</c>.</param>
    /// <exception cref="ArgumentException">There is none, or a name is not of the form.</exception>
    public static ScriptSet Embedded(string name, Assembly assembly, string folder)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var head = folder + "/";
        var scripts = assembly.GetManifestResourceNames()
            .Where(resource => resource.StartsWith(head, StringComparison.Ordinal)
                && resource.EndsWith(".sql", StringComparison.Ordinal)
                && !resource.AsSpan(head.Length).Contains('/'))
            .Select(resource => KeyValuePair.Create(resource[head.Length..], Read(assembly, resource)))
            .ToList();
        return scripts.Count > 0
            ? new ScriptSet(name, scripts)
            : throw new ArgumentException($"{assembly.GetName().Name} has no embedded script under '{head}'.", nameof(folder));
    }

    private static string Read(Assembly assembly, string resource)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^[0-9]{4}_[a-z0-9_]+\.sql$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex FileName();
}

/// <summary>One script.</summary>
public sealed record SchemaScript
{
    internal SchemaScript(string name, string sql)
    {
        Name = name;
        Sql = sql;
        // A checkout on Windows must not look like a change.
        Checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql.ReplaceLineEndings("\n"))));
    }

    /// <summary>File name.</summary>
    public string Name { get; }

    /// <summary>The SQL: one or more statements that may run in a transaction.</summary>
    public string Sql { get; }

    /// <summary>SHA-256 of the text with line feeds, 64 hexadecimal digits.</summary>
    public string Checksum { get; }
}
