using Maintenance.Worker.MemoryAlerts;

namespace Maintenance.Worker.Tests.MemoryAlerts;

public sealed class MemoryAlertsOptionsTests
{
    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    [InlineData(240, true)]
    [InlineData(241, false)]
    [InlineData(10_000, false)]
    public void ForecastSamples_AreBounded(int samples, bool valid)
    {
        var result = new MemoryAlertsOptionsValidator().Validate(null, new MemoryAlertsOptions { ForecastSamples = samples });

        result.Succeeded.ShouldBe(valid);
        if (!valid)
        {
            result.FailureMessage.ShouldNotBeNull().ShouldContain("Jobs:MemoryAlerts:ForecastSamples");
        }
    }
}
