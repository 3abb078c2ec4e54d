using Maintenance.Worker.ForeignLayouts;

namespace Maintenance.Worker.Tests.ForeignLayouts;

public sealed class KeyPatternTests
{
    [Theory]
    [InlineData("sess:{session}", "sess:abc", "abc", "")]
    [InlineData("user_sessions:{user}", "user_sessions:42", "", "42")]
    [InlineData("user_sessions:{user}", "user_sessions:urn:x:42", "", "urn:x:42")]
    [InlineData("session:{user}:{session}", "session:ann@example.org:abc", "abc", "ann@example.org")]
    [InlineData("s:{session}:of:{user}", "s:abc:of:a:b", "abc", "a:b")]
    [InlineData("{app}:u:{user}:list", "{app}:u:42:list", "", "42")]
    public void Match_FindsSessionAndUser_AndFormatMakesTheNameAgain(string pattern, string name, string session, string user)
    {
        var parsed = KeyPattern.Parse(pattern, out _).ShouldNotBeNull();
        parsed.TryMatch(name, out var foundSession, out var foundUser).ShouldBeTrue();
        (foundSession, foundUser).ShouldBe((session, user));
        parsed.Format(session, user).ShouldBe(name);
    }

    [Theory]
    [InlineData("sess:{session}", "sess:")]
    [InlineData("sess:{session}", "session:abc")]
    [InlineData("sess:{session}", "sess:expires:abc")]
    [InlineData("sess:{session}", "sess:\uFFFDabc")]
    [InlineData("session:{user}:{session}", "session:abc")]
    [InlineData("session:{user}:{session}", "session:a:b:c")]
    [InlineData("session:{user}:{session}", "session::abc")]
    [InlineData("{app}:u:{user}:list", "{app}:u:a:b:list")]
    [InlineData("a{session}a", "a")]
    public void Match_RefusesOtherNames(string pattern, string name) =>
        KeyPattern.Parse(pattern, out _).ShouldNotBeNull().TryMatch(name, out _, out _).ShouldBeFalse();

    [Theory]
    [InlineData(null, "neither")]
    [InlineData("", "neither")]
    [InlineData("sess:*", "neither")]
    [InlineData("{session}:{session}", "twice")]
    [InlineData("{user}x{session}x{user}", "twice")]
    [InlineData("s:{user}{session}", "between")]
    public void Parse_SaysWhatIsWrong(string? pattern, string problem)
    {
        KeyPattern.Parse(pattern, out var said).ShouldBeNull();
        said.ShouldContain(problem);
    }
}
