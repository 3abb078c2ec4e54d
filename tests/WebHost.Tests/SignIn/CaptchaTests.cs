using System.Net;
using Maintenance.Testing;
using Maintenance.WebHost.SignIn;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Maintenance.WebHost.Tests.SignIn;

/// <summary>The check of a CAPTCHA's answer against a service of our own on loopback.</summary>
public sealed class CaptchaTests : IAsyncLifetime
{
    private const string Secret = "s3cret-of-the-captcha";
    private const string Given = "answer-of-the-client";

    private readonly LogCollector logs = new();
    private HttpReceiver service = null!;

    public async Task InitializeAsync() => service = await HttpReceiver.StartAsync();

    public async Task DisposeAsync()
    {
        await service.DisposeAsync();
        logs.Dispose();
    }

    [Fact]
    public async Task Check_AsksAsTheServicesHaveIt_AndBelievesAYes()
    {
        Answers("""{"success":true,"challenge_ts":"2026-01-01T00:00:00Z","hostname":"example.com"}""");

        (await IsPersonAsync()).ShouldBeTrue();

        var request = service.Requests.ShouldHaveSingleItem();
        request.Target.ShouldBe("/siteverify");
        var form = QueryHelpers.ParseQuery(request.Body);
        (form["secret"].ToString(), form["response"].ToString(), form["remoteip"].ToString()).ShouldBe((Secret, Given, "192.0.2.7"));
        logs.WithEvent(3300).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(200, """{"success":false,"error-codes":["invalid-input-response"]}""")]
    [InlineData(200, """{"success":"true"}""")]
    [InlineData(200, """{"success":1}""")]
    [InlineData(200, """{"Success":true}""")]
    [InlineData(200, "{}")]
    [InlineData(200, "[]")]
    [InlineData(200, "[true]")]
    [InlineData(200, "true")]
    [InlineData(200, "null")]
    [InlineData(200, "")]
    [InlineData(200, "<html>maintenance</html>")]
    [InlineData(200, """{"success":true""")]
    [InlineData(400, """{"success":true}""")]
    [InlineData(500, """{"success":true}""")]
    public async Task Check_IsANo_WhateverElseIsAnswered(int status, string body)
    {
        Answers(body, status);

        (await IsPersonAsync()).ShouldBeFalse();

        Silent();
    }

    [Fact]
    public async Task Check_IsANo_WithoutAnAnswer_AndAsksNobody()
    {
        Answers("""{"success":true}""");

        (await IsPersonAsync(answer: null)).ShouldBeFalse();
        (await IsPersonAsync(answer: "")).ShouldBeFalse();

        service.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Check_IsANo_WhileTheServiceIsAway()
    {
        var address = service.Address;
        await service.DisposeAsync();

        (await IsPersonAsync(address: address)).ShouldBeFalse();

        logs.WithEvent(3300).ShouldHaveSingleItem().Message.ShouldContain("HttpRequestException");
        Silent();
    }

    [Fact]
    public async Task Check_IsANo_WhenTheServiceIsSlow_ButGoneWithTheClient()
    {
        service.Answer = (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);

        (await IsPersonAsync(timeout: TimeSpan.FromMilliseconds(300))).ShouldBeFalse();
        logs.WithEvent(3300).ShouldHaveSingleItem();
        Silent();

        // A busy machine may give up before it has asked.
        var asked = service.Requests.Count;
        using var gone = new CancellationTokenSource();
        var asking = IsPersonAsync(timeout: TimeSpan.FromSeconds(30), stop: gone.Token);
        await Eventually.TrueAsync(() => service.Requests.Count > asked, TimeSpan.FromSeconds(60));
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task Check_TakesTheSecretNowhereElse()
    {
        await using var elsewhere = await HttpReceiver.StartAsync();
        elsewhere.Answer = (_, context) => context.Response.WriteAsync("""{"success":true}""");
        service.Answer = (_, context) =>
        {
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = elsewhere.Address.ToString();
            return Task.CompletedTask;
        };

        (await IsPersonAsync()).ShouldBeFalse();

        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Check_ReadsNoEndlessAnswer()
    {
        service.Answer = (_, context) => context.Response.WriteAsync($$"""{"pad":"{{new string('x', 200_000)}}","success":true}""");

        (await IsPersonAsync()).ShouldBeFalse();
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "VerifyUrl", "ftp://example.com/", "Captcha:VerifyUrl" },
        { "Secret", "", "Captcha:Secret" },
        { "VerifyUrl", "http://captcha.example.com/siteverify", "Captcha:VerifyUrl" },
        { "VerifyUrl", "captcha.example.com", "Captcha:VerifyUrl" },
        { "AfterFailures", "0", "Captcha:AfterFailures" },
        { "AfterFailures", "5", "Captcha:AfterFailures is 5, but Storage:RateLimits:login-account lets only 5 failures through" },
        { "Timeout", "00:05:00", "Captcha:Timeout" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Setting_ThatIsWrong_IsNamed(string setting, string value, string named)
    {
        using var services = Services(service.Address, TimeSpan.FromSeconds(3), (setting, value));
        Should.Throw<Microsoft.Extensions.Options.OptionsValidationException>(() => services.GetRequiredService<Microsoft.Extensions.Options.IOptions<CaptchaOptions>>().Value)
            .Message.ShouldContain(named);
    }

    private void Answers(string body, int status = 200) => service.Answer = (_, context) =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    };

    private void Silent() => logs.Entries.ShouldAllBe(entry => !$"{entry.Message} {entry.Error}".Contains(Secret) && !$"{entry.Message} {entry.Error}".Contains(Given));

    private async Task<bool> IsPersonAsync(string? answer = Given, Uri? address = null, TimeSpan? timeout = null, CancellationToken stop = default)
    {
        await using var services = Services(address ?? service.Address, timeout ?? TimeSpan.FromSeconds(30));
        var check = services.GetRequiredService<ICaptchaCheck>();
        check.IsEnabled.ShouldBeTrue();
        return await check.IsPersonAsync(answer, IPAddress.Parse("192.0.2.7"), stop);
    }

    private ServiceProvider Services(Uri address, TimeSpan timeout, params (string Setting, string Value)[] more)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Captcha:VerifyUrl"] = new Uri(address, "siteverify").ToString(),
            ["Captcha:Secret"] = Secret,
            ["Captcha:Timeout"] = timeout.ToString(),
        };
        foreach (var (setting, value) in more)
        {
            settings[$"Captcha:{setting}"] = value;
        }

        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs))
            .Configure<Maintenance.Storage.RateLimiting.RateLimitOptions>(limits => limits.Policies["login-account"] = new() { Permits = 5 });
        return HttpCaptchaCheck.Add(services).BuildServiceProvider();
    }
}
