using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Maintenance.Storage.Redis;
using Microsoft.AspNetCore.DataProtection.Repositories;
using StackExchange.Redis;

namespace Maintenance.Storage.AspNetCore.DataProtection;

/// <summary>
/// ASP.NET Core's data-protection keys in one Redis hash, a field an element, so that storing one twice changes nothing. It is the one key without a TTL.
/// </summary>
/// <remarks>
/// The framework's interface is synchronous, so each call blocks its thread, at the start and about once a day, never longer than the deadline. A Redis that does
/// not answer is an exception and not an empty key ring: no host makes keys of its own because it could not read the others'.
/// </remarks>
public sealed class RedisXmlRepository : IXmlRepository
{
    private readonly RedisConnection connection;
    private readonly RedisKey key;
    private readonly TimeSpan deadline;

    /// <summary>Creates the repository.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="keys">The grammar of key names.</param>
    /// <param name="ring">Name of the key ring, 1 to 256 bytes of UTF-8; applications that share a Redis but no keys have different ones.</param>
    /// <param name="deadline">Longest time that a call blocks, connecting included.</param>
    public RedisXmlRepository(RedisConnection connection, RedisKeys keys, string ring, TimeSpan deadline)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero);
        this.connection = connection;
        key = keys.DataProtection(OpaqueId.Of(ring, 256));
        this.deadline = deadline;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">Redis did not answer.</exception>
    /// <exception cref="System.Xml.XmlException">An element is damaged.</exception>
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        var stored = Wait(database => database.HashGetAllAsync(key));
        return [.. stored.Select(entry => XElement.Parse(entry.Value!))];
    }

    /// <inheritdoc/>
    /// <exception cref="StorageUnavailableException">Redis did not answer; the element may be there or not, and storing it again is safe.</exception>
    public void StoreElement(XElement element, string friendlyName)
    {
        ArgumentNullException.ThrowIfNull(element);
        var text = element.ToString(SaveOptions.DisableFormatting);
        var field = string.IsNullOrEmpty(friendlyName) ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))) : friendlyName;
        Wait(database => database.HashSetAsync(key, field, text));
    }

    // Off the caller's context: the calls inside await, and nobody but this thread waits for them.
    private T Wait<T>(Func<IDatabase, Task<T>> call) =>
        Task.Run(() => connection.CallAsync(call, CancellationToken.None, deadline)).GetAwaiter().GetResult();
}
