using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Maintenance.Storage.Redis;

/// <summary>A Lua script kept as an embedded resource beside the code that runs it.</summary>
public sealed class RedisScript
{
    private const string IncludeMark = "--@include ";

    private const string WholeSlotMark = "--@whole-slot";

    private readonly byte[] hash;

    private RedisScript(string name, string text)
    {
        Name = name;
        Text = text;
        WholeSlot = text.Contains(WholeSlotMark, StringComparison.Ordinal);
        // SHA-1 is how Redis names scripts (EVALSHA); it protects nothing.
#pragma warning disable CA5350
        hash = SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
    }

    /// <summary>Path of the resource, for example <c>Sessions/create.lua</c>.</summary>
    public string Name { get; }

    /// <summary>The whole text, with what it includes.</summary>
    public string Text { get; }

    /// <summary>
    /// Whether it reads or writes keys beside those that are declared (by a line <c>--@whole-slot</c>). While their slot moves to another node of a
    /// cluster it runs only where all of them still are: the new node takes a key that has not arrived yet for one that does not exist.
    /// </summary>
    internal bool WholeSlot { get; }

    /// <summary>
    /// Loads a script. A line <c>--@include path</c> is replaced by that resource of this library, which is how scripts share the record's layout.
    /// </summary>
    /// <param name="assembly">Assembly that holds the resource.</param>
    /// <param name="name">Path of the resource, with forward slashes.</param>
    /// <exception cref="ArgumentException">No such resource.</exception>
    public static RedisScript Load(Assembly assembly, string name)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var text = new StringBuilder();
        foreach (var line in ReadResource(assembly, name).Split('\n'))
        {
            text.Append(line.StartsWith(IncludeMark, StringComparison.Ordinal)
                ? ReadResource(typeof(RedisScript).Assembly, line[IncludeMark.Length..].Trim())
                : line);
            text.Append('\n');
        }

        return new RedisScript(name, text.ToString());
    }

    /// <summary>A script whose text is given, for tests that plant faults.</summary>
    internal static RedisScript FromText(string name, string text) => new(name, text);

    /// <summary>EVALSHA, then EVAL when Redis answers NOSCRIPT (which says that nothing ran). Needs no SCRIPT command, which some providers refuse.</summary>
    internal async Task<RedisResult> EvaluateAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] arguments)
    {
        if (!WholeSlot)
        {
            return await EvaluateAsync(database, keys, arguments, CommandFlags.None).ConfigureAwait(false);
        }

        try
        {
            return await EvaluateAsync(database, keys, arguments, CommandFlags.NoRedirect).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (ClientCompat.IsMoved(exception))
        {
            // Of a batch there is no second sending; and the client has noted where the slot is now.
            throw new SlotMovingException("the keys have moved to another node.", exception);
        }
        catch (RedisConnectionException exception) when (ClientCompat.IsAsk(exception))
        {
            throw new SlotMovingException("the keys are on their way to another node.", exception);
        }
    }

    private async Task<RedisResult> EvaluateAsync(IDatabaseAsync database, RedisKey[] keys, RedisValue[] arguments, CommandFlags flags)
    {
        try
        {
            return await database.ScriptEvaluateAsync(hash, keys, arguments, flags).ConfigureAwait(false);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await database.ExecuteAsync("EVAL", EvalArguments(keys, arguments), flags).ConfigureAwait(false);
        }
    }

    private object[] EvalArguments(RedisKey[] keys, RedisValue[] arguments)
    {
        var all = new object[2 + keys.Length + arguments.Length];
        all[0] = Text;
        all[1] = keys.Length;
        for (var i = 0; i < keys.Length; i++)
        {
            all[2 + i] = keys[i];
        }

        for (var i = 0; i < arguments.Length; i++)
        {
            all[2 + keys.Length + i] = arguments[i];
        }

        return all;
    }

    private static string ReadResource(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)
            ?? throw new ArgumentException($"No embedded script '{name}' in {assembly.GetName().Name}.", nameof(name));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
