using Maintenance.Worker.ForeignLayouts;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Tests.ForeignLayouts;

public sealed class KeySpacesOptionsValidatorTests
{
    [Theory]
    [InlineData("KeySpaces:x:Sessions", "", "KeySpaces:x:Sessions is missing")]
    [InlineData("KeySpaces:x:Sessions", "sess:*", "KeySpaces:x:Sessions is 'sess:*'")]
    [InlineData("KeySpaces:x:Sessions", "sess:{user}", "KeySpaces:x:Sessions is 'sess:{user}'")]
    [InlineData("KeySpaces:x:Index", "", "KeySpaces:x:Index is missing")]
    [InlineData("KeySpaces:x:Index", "i:{session}", "KeySpaces:x:Index is 'i:{session}'")]
    [InlineData("KeySpaces:x:Member", "m:{user}", "KeySpaces:x:Member is 'm:{user}'")]
    [InlineData("KeySpaces:x:UserPath", "", "KeySpaces:x:UserPath is missing")]
    [InlineData("KeySpaces:x:User", "Name", "KeySpaces:x:User is Name")]
    [InlineData("KeySpaces:x:Score", "ExpirySeconds", "KeySpaces:x:Score is ExpirySeconds")]
    [InlineData("KeySpaces:x:ScoreTolerance", "-00:00:01", "KeySpaces:x:ScoreTolerance")]
    [InlineData("KeySpaces:x:Grace", "-00:00:01", "KeySpaces:x:Grace")]
    [InlineData("KeySpaces:x:Grace", "31.00:00:00", "KeySpaces:x:Grace")]
    [InlineData("KeySpaces:y:Sessions", "sess:{session}", "x and y name the same Sessions")]
    [InlineData("KeySpaces:native:Sessions", "n:{session}", "KeySpaces:native: the name")]
    [InlineData("KeySpaces:Big:Sessions", "n:{session}", "KeySpaces:Big: the name")]
    public void WrongSetting_IsNamed(string setting, string value, string expected) =>
        Should.Throw<OptionsValidationException>(() => Bind((setting, value))).Message.ShouldContain(expected);

    [Fact]
    public void RightSettings_AreBoundByName_AndOnlyReport()
    {
        var space = Bind().Spaces["x"];
        (space.Sessions, space.Index, space.UserPath).ShouldBe(("sess:{session}", "user_sessions:{user}", "passport.user"));
        (space.Action, space.Grace, space.IndexType, space.Member).ShouldBe((KeySpaceAction.Report, TimeSpan.FromMinutes(10), IndexType.Set, "{session}"));
    }

    [Fact]
    public void WithoutAUserInTheValue_NoPathIsAsked() => Bind(("KeySpaces:x:User", "None"), ("KeySpaces:x:UserPath", "")).Spaces.Count.ShouldBe(1);

    private static KeySpacesOptions Bind(params (string Name, string Value)[] settings)
    {
        var values = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["KeySpaces:x:Sessions"] = "sess:{session}", ["KeySpaces:x:UserPath"] = "passport.user", ["KeySpaces:x:Index"] = "user_sessions:{user}",
        };
        foreach (var (name, value) in settings)
        {
            values[name] = value;
        }

        using var provider = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(values).Build())
            .AddForeignLayouts()
            .BuildServiceProvider();
        return provider.GetRequiredService<IOptions<KeySpacesOptions>>().Value;
    }
}
