using System.Data;
using Npgsql;

namespace Maintenance.Testing;

/// <summary>A database of a test's PostgreSQL, reached without the code that the product uses.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ConnectionString">Connection string of its owner, with a password.</param>
public sealed record PostgresDatabase(string Name, string ConnectionString)
{
    private const int TimeoutSeconds = 30;

    /// <summary>Runs SQL, which may be several statements if there are no parameters, and returns the number of rows changed.</summary>
    /// <param name="sql">The SQL.</param>
    /// <param name="parameters">Values of <c>$1</c>, <c>$2</c> and so on.</param>
    /// <exception cref="PostgresException">The server refused it.</exception>
    public async Task<int> ExecuteAsync(string sql, params object[] parameters)
    {
        await using var connection = await OpenAsync();
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first value of the first row; default if there is no row or it is null.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, params object[] parameters)
    {
        await using var connection = await OpenAsync();
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    /// <summary>The first column of every row.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string sql, params object[] parameters)
    {
        await using var connection = await OpenAsync();
        await using var command = Command(connection, sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        List<T> values = [];
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetFieldValue<T>(0));
        }

        return values;
    }

    /// <summary>A connection outside every pool, for a test that holds locks.</summary>
    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false, Timeout = TimeoutSeconds, CommandTimeout = TimeoutSeconds }.ConnectionString);
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandType = CommandType.Text;
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return command;
    }
}
