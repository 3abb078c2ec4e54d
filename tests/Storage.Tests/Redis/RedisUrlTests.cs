using Maintenance.Storage.Redis;

namespace Maintenance.Storage.Tests.Redis;

public sealed class RedisUrlTests
{
    [Theory]
    [InlineData("redis://localhost", "localhost", 6379, false, null, null, null)]
    [InlineData("redis://localhost:6379/0", "localhost", 6379, false, null, null, 0)]
    [InlineData("rediss://cache.example.org:6380/3", "cache.example.org", 6380, true, null, null, 3)]
    [InlineData("redis://192.0.2.7:1", "192.0.2.7", 1, false, null, null, null)]
    [InlineData("redis://[::1]:7000", "::1", 7000, false, null, null, null)]
    [InlineData("redis://[2001:db8::1]", "2001:db8::1", 6379, false, null, null, null)]
    [InlineData("redis://:secret@h", "h", 6379, false, null, "secret", null)]
    [InlineData("redis://user:secret@h", "h", 6379, false, "user", "secret", null)]
    [InlineData("redis://user@h", "h", 6379, false, "user", null, null)]
    [InlineData("redis://:a,b@h", "h", 6379, false, null, "a,b", null)]
    [InlineData("redis://:a,b=c;d$e&f+g!h@h", "h", 6379, false, null, "a,b=c;d$e&f+g!h", null)]
    [InlineData("redis://:p%40ss%3Aw%2Frd%25%23%3F@h", "h", 6379, false, null, "p@ss:w/rd%#?", null)]
    [InlineData("redis://:%C3%BCber%F0%9F%98%80@h", "h", 6379, false, null, "über😀", null)]
    [InlineData("redis://:a:b:c@h", "h", 6379, false, null, "a:b:c", null)]
    [InlineData("redis://:100%@h", "h", 6379, false, null, "100%", null)]
    [InlineData("redis://:%2541@h", "h", 6379, false, null, "%41", null)]
    [InlineData("REDIS://LOCALHOST/7", "localhost", 6379, false, null, null, 7)]
    public void TryParse_ReadsEveryPart(string text, string host, int port, bool tls, string? user, string? password, int? database)
    {
        RedisUrl.TryParse(text, out var url, out var error).ShouldBeTrue(error);
        url.ShouldBe(new RedisUrl(host, port, tls, user, password, database));
    }

    [Theory]
    [InlineData("localhost:6379")]
    [InlineData("localhost")]
    [InlineData("")]
    [InlineData("http://h")]
    [InlineData("redis://")]
    [InlineData("redis:///0")]
    [InlineData("redis://h:0")]
    [InlineData("redis://h:70000")]
    [InlineData("redis://h:x")]
    [InlineData("redis://h/one")]
    [InlineData("redis://h/-1")]
    [InlineData("redis://h/0/1")]
    [InlineData("redis://h/99999999999")]
    [InlineData("redis://h?db=1")]
    [InlineData("redis://h#x")]
    [InlineData("redis://[::1")]
    public void TryParse_SaysWhatIsWrong_InsteadOfFindingNoEndpoint(string text)
    {
        RedisUrl.TryParse(text, out var url, out var error).ShouldBeFalse();
        url.ShouldBeNull();
        error.ShouldNotBeNullOrEmpty();
    }

    [Theory]
    [InlineData("hunter2@h:6379")]
    [InlineData("default:hunter2@h")]
    [InlineData("hunter2:x@h")]
    [InlineData("redis://:hunter2@h:x")]
    [InlineData("redis://:hunter2@h/one")]
    [InlineData("redis://:hunter2@h?x")]
    [InlineData("redis://:hunter2@h:0")]
    [InlineData("redis://user:12/hunter2@h")]
    [InlineData("redis://user:12#hunter2@h")]
    [InlineData("redis://user:12?hunter2@h")]
    [InlineData("redis://hunter2@h")]
    [InlineData("mysql://root:hunter2@h")]
    public void ErrorText_NeverRepeatsAPassword(string text)
    {
        var result = new RedisOptionsValidator().Validate(null, new RedisOptions { Url = text });

        result.Failed.ShouldBeTrue();
        result.FailureMessage.ShouldContain("Storage:Redis:");
        result.FailureMessage.ShouldNotContain("hunter2");
    }
}
