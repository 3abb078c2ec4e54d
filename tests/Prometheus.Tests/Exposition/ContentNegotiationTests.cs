using Maintenance.Prometheus.Exposition;

namespace Maintenance.Prometheus.Tests.Exposition;

public class ContentNegotiationTests
{
    private const string Prometheus2 =
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

    private const string Prometheus3 =
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4," +
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

    [Theory]
    [InlineData(Prometheus2)]
    [InlineData(Prometheus3)]
    [InlineData("application/openmetrics-text")]
    [InlineData("application/openmetrics-text; version=\"1.0.0\", text/plain")]
    [InlineData("text/plain;q=0.5, application/openmetrics-text;version=1.0.0;q=0.6")]
    public void Format_IsOpenMetrics_WhenItIsRatedAtLeastAsText(string accept) =>
        ContentNegotiation.Format(accept).ShouldBe(ExpositionFormat.OpenMetrics);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*/*")]
    [InlineData("text/html, */*;q=0.8")]
    [InlineData("application/json")]
    [InlineData("not a header;;;")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0")]
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.4, text/plain;version=0.0.4;q=0.5")]
    [InlineData("application/openmetrics-text;version=0.0.1")]
    [InlineData("application/openmetrics-text;version=2.0.0")]
    public void Format_IsText_Otherwise(string? accept) => ContentNegotiation.Format(accept).ShouldBe(ExpositionFormat.Text);

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("br, gzip;q=0.5", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("br", false)]
    [InlineData(null, false)]
    public void AcceptsGzip_FollowsTheHeader(string? header, bool expected) => ContentNegotiation.AcceptsGzip(header).ShouldBe(expected);
}
