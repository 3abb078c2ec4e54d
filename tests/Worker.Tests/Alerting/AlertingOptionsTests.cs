using Maintenance.Worker.Alerting;
using Maintenance.Worker.Alerting.Webhooks;

namespace Maintenance.Worker.Tests.Alerting;

public sealed class AlertingOptionsTests
{
    [Theory]
    [InlineData("", "Alerting:Webhooks:ops:Url is not set.")]
    [InlineData("hooks.example/secret", "Alerting:Webhooks:ops:Url: expected")]
    [InlineData("ftp://hooks.example/secret", "Alerting:Webhooks:ops:Url: expected")]
    [InlineData("https://user:secret@hooks.example/", "Alerting:Webhooks:ops:BearerToken")]
    public void Url_ThatCannotBeUsed_IsNamed_AndNotRepeated(string url, string expected)
    {
        var errors = Errors(options => options.Webhooks["ops"] = new WebhookOptions { Url = url });

        errors.ShouldContain(expected);
        errors.ShouldNotContain("secret");
    }

    [Fact]
    public void EveryWrongSetting_IsNamed()
    {
        var errors = Errors(options =>
        {
            options.PageUrl = "status";
            options.RunbooksUrl = "https://docs.example/?runbooks";
            options.RetryDelay = TimeSpan.Zero;
            options.Webhooks["a name"] = new WebhookOptions { Url = "https://hooks.example/", SigningSecret = "short", CaFile = "/no/such/file.pem", Format = (WebhookFormat)7 };
            options.Alertmanager.Urls.Add("http://am:9093");
            options.Alertmanager.Urls.Add("am:9093");
            options.Alertmanager.Labels["alertname"] = "x";
            options.Alertmanager.ResendInterval = TimeSpan.Zero;
            options.Alertmanager.User = "user";
            options.Alertmanager.BearerToken = "token";
        });

        foreach (var setting in new[]
        {
            "PageUrl", "RunbooksUrl", "RetryDelay", "Webhooks:a name:", "Webhooks:a name:SigningSecret", "Webhooks:a name:CaFile", "Webhooks:a name:Format",
            "Alertmanager:Urls:1", "Alertmanager:Labels:alertname", "Alertmanager:ResendInterval", "Alertmanager:Password", "Alertmanager:BearerToken",
        })
        {
            errors.ShouldContain($"Alerting:{setting}");
        }

        errors.ShouldNotContain("Urls:0");
    }

    [Fact]
    public void Defaults_AreValid() => Errors(_ => { }).ShouldBeEmpty();

    private static string Errors(Action<AlertingOptions> change)
    {
        var options = new AlertingOptions();
        change(options);
        return string.Join('\n', new AlertingOptionsValidator().Validate(null, options).Failures ?? []);
    }
}
