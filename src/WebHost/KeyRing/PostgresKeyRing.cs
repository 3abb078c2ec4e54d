using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Npgsql;

namespace Maintenance.WebHost.KeyRing;

/// <summary>Data-protection keys in the user database, for all hosts: they live exactly as long as what they encrypt.</summary>
/// <remarks>The framework's interface is synchronous; it is called at the start and about once a day. A database that does not answer is an exception and no empty ring.</remarks>
internal sealed class PostgresKeyRing(NpgsqlDataSource database) : IXmlRepository
{
    private const long Lock = 0x6B65_7972_696E_67;
    private const string Key = "key";

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var command = database.CreateCommand("SELECT xml FROM data_protection_keys ORDER BY created_at, name");
        using var reader = command.ExecuteReader();
        var elements = new List<XElement>();
        while (reader.Read())
        {
            elements.Add(XElement.Parse(reader.GetString(0)));
        }

        return elements;
    }

    /// <summary>
    /// Stores an element. Of the hosts that start together on an empty ring each makes a key, and would not know the others' until tomorrow: what one of
    /// them encrypts the next could not read. So only the first key of a minute is taken; the framework reads the ring again and uses that.
    /// </summary>
    public void StoreElement(XElement element, string friendlyName)
    {
        var text = element.ToString(SaveOptions.DisableFormatting);
        using var connection = database.OpenConnection();
        using var transaction = connection.BeginTransaction();
        using (var hold = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection, transaction))
        {
            hold.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Lock });
            hold.ExecuteNonQuery();
        }

        using var insert = new NpgsqlCommand(
            """
            INSERT INTO data_protection_keys (name, kind, xml)
            SELECT $1, $2, $3
            WHERE $2 <> $4 OR NOT EXISTS (SELECT 1 FROM data_protection_keys WHERE kind = $4 AND created_at > clock_timestamp() - interval '1 minute')
            ON CONFLICT (name) DO UPDATE SET xml = excluded.xml
            """,
            connection,
            transaction);
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = string.IsNullOrEmpty(friendlyName) ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))) : friendlyName });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = element.Name.LocalName });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Key });
        insert.ExecuteNonQuery();
        transaction.Commit();
    }
}

/// <summary>The ring of a host whose users are in its memory: it ends with them.</summary>
internal sealed class MemoryKeyRing : IXmlRepository
{
    private readonly Lock gate = new();
    private readonly List<XElement> elements = [];

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (gate)
        {
            return [.. elements.Select(element => new XElement(element))];
        }
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (gate)
        {
            elements.Add(new XElement(element));
        }
    }
}
