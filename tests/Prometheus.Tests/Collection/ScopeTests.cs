using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests.Collection;

public class ScopeTests
{
    [Fact]
    public async Task Scrape_TakesItsOwnFactorysMeters_NotThoseOfAnotherHost()
    {
        using var one = new ExporterFixture();
        using var other = new ExporterFixture();
        one.Meter.CreateCounter<long>("scoped.one").Add(1);
        other.Meter.CreateCounter<long>("scoped.other").Add(1);

        (await one.LinesAsync("scoped_"))[^1].ShouldBe("scoped_one_total 1");
        (await other.LinesAsync("scoped_"))[^1].ShouldBe("scoped_other_total 1");
        (await one.LinesAsync("scoped_other")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Scrape_TakesStaticMeters_InEveryHost()
    {
        using var one = new ExporterFixture();
        using var meter = new Meter("static");
        meter.CreateCounter<long>("from.static.meter").Add(1);

        (await one.LinesAsync("from_static_meter"))[^1].ShouldBe("from_static_meter_total 1");
    }

    [Fact]
    public async Task Scrape_HasTheRuntimesMeters_UnderTheirOwnNames()
    {
        using var one = new ExporterFixture();

        var text = await one.TextAsync();
        text.ShouldContain("# TYPE dotnet_gc_collections_total counter\n");
        text.ShouldContain("# TYPE dotnet_process_memory_working_set_bytes gauge\n");
    }
}
