using Maintenance.WebHost.Database;
using Npgsql;

namespace Maintenance.WebHost.Tests.Database;

public sealed class DatabaseOptionsTests
{
    [Fact]
    public void ToNpgsql_ReadsAUrl_WithEscapedCharacters()
    {
        var text = new DatabaseOptions { ConnectionString = "postgres://an%40n:p%3Aw%2F@db.example:6432/auth?sslmode=require" }.ToNpgsql();
        var builder = new NpgsqlConnectionStringBuilder(text);
        (builder.Host, builder.Port, builder.Username, builder.Password, builder.Database, builder.SslMode)
            .ShouldBe(("db.example", 6432, "an@n", "p:w/", "auth", SslMode.Require));
        builder.Timeout.ShouldBe(3);
        builder.CommandTimeout.ShouldBe(5);
    }

    [Fact]
    public void ToNpgsql_TakesTheStandardPort_AndAConnectionStringOfNpgsql()
    {
        new NpgsqlConnectionStringBuilder(new DatabaseOptions { ConnectionString = "postgresql://db/auth" }.ToNpgsql()).Port.ShouldBe(5432);
        new NpgsqlConnectionStringBuilder(new DatabaseOptions { ConnectionString = "Host=db;Username=ann;Password=x" }.ToNpgsql()).Host.ShouldBe("db");
    }

    [Theory]
    [InlineData("postgres://ann:secretword@/auth")]
    [InlineData("secretword")]
    [InlineData("postgres://ann:secretword@db:notaport/auth")]
    [InlineData("Hots=db;Password=secretword")]
    public void ToNpgsql_NamesWhatIsWrong_WithoutThePassword(string text) =>
        Should.Throw<FormatException>(() => new DatabaseOptions { ConnectionString = text }.ToNpgsql()).ToString().ShouldNotContain("secretword");
}
