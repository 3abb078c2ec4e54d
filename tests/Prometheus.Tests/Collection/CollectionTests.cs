using System.Diagnostics.Metrics;

namespace Maintenance.Prometheus.Tests.Collection;

/// <summary>Not beside others: a static meter of one of these is heard by every exporter of the process, and its odd names are lints and collisions there.</summary>
[Collection(nameof(Alone))]
public sealed class CollectionTests : IDisposable
{
    private readonly ExporterFixture _exporter = new();

    public void Dispose() => _exporter.Dispose();

    [Fact]
    public async Task Scrape_TakesEveryKindOfInstrument_AndEveryNumericType()
    {
        var meter = _exporter.Meter;
        meter.CreateCounter<byte>("k.counter.byte").Add(1);
        meter.CreateCounter<short>("k.counter.short").Add(2);
        meter.CreateCounter<int>("k.counter.int").Add(3);
        meter.CreateCounter<float>("k.counter.float").Add(0.5f);
        meter.CreateCounter<decimal>("k.counter.decimal").Add(0.25m);
        meter.CreateUpDownCounter<long>("k.updown").Add(-4);
        meter.CreateGauge<int>("k.gauge").Record(5);
        meter.CreateObservableCounter("k.observable.counter", () => 6L);
        meter.CreateObservableUpDownCounter("k.observable.updown", () => -7L);
        meter.CreateObservableGauge("k.observable.gauge", () => 8.5);

        (await _exporter.LinesAsync("k_")).Where(line => !line.StartsWith("# HELP", StringComparison.Ordinal)).ShouldBe(
        [
            "# TYPE k_counter_byte_total counter", "k_counter_byte_total 1",
            "# TYPE k_counter_decimal_total counter", "k_counter_decimal_total 0.25",
            "# TYPE k_counter_float_total counter", "k_counter_float_total 0.5",
            "# TYPE k_counter_int_total counter", "k_counter_int_total 3",
            "# TYPE k_counter_short_total counter", "k_counter_short_total 2",
            "# TYPE k_gauge gauge", "k_gauge 5",
            "# TYPE k_observable_counter_total counter", "k_observable_counter_total 6",
            "# TYPE k_observable_gauge gauge", "k_observable_gauge 8.5",
            "# TYPE k_observable_updown gauge", "k_observable_updown -7",
            "# TYPE k_updown gauge", "k_updown -4",
        ]);
    }

    [Fact]
    public async Task Counter_ExistsWithZero_WhenZeroWasAdded()
    {
        _exporter.Meter.CreateCounter<long>("zero").Add(0, new KeyValuePair<string, object?>("outcome", "failed"));

        (await _exporter.LinesAsync("zero_total{")).ShouldBe(["zero_total{outcome=\"failed\"} 0"]);
    }

    [Fact]
    public async Task Counter_LeadsToOneSeries_WhateverTheOrderOfItsTags()
    {
        var counter = _exporter.Meter.CreateCounter<long>("ordered");
        counter.Add(1, new("a", "1"), new KeyValuePair<string, object?>("b", "2"));
        counter.Add(1, new("b", "2"), new KeyValuePair<string, object?>("a", "1"));

        (await _exporter.LinesAsync("ordered_total{")).ShouldBe(["ordered_total{a=\"1\",b=\"2\"} 2"]);
    }

    [Fact]
    public async Task Counter_KeepsEveryMeasurement_WhenManyThreadsRecordDuringScrapes()
    {
        var counter = _exporter.Meter.CreateCounter<long>("busy.whole");
        var fractions = _exporter.Meter.CreateCounter<double>("busy.real");
        var histogram = _exporter.Meter.CreateHistogram<double>("busy.wait", "s");
        var recording = Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var tag = new KeyValuePair<string, object?>("n", i % 10);
                counter.Add(1, tag);
                fractions.Add(0.5);
                histogram.Record(0.5, tag);
            }
        })));
        while (!recording.IsCompleted) await _exporter.TextAsync();
        await recording;

        var lines = await _exporter.LinesAsync("busy_");
        lines.Where(line => line.StartsWith("busy_whole_total{", StringComparison.Ordinal)).ShouldAllBe(line => line.EndsWith(" 8000"));
        lines.ShouldContain("busy_real_total 40000");
        lines.Count(line => line.StartsWith("busy_wait_seconds_count{", StringComparison.Ordinal) && line.EndsWith(" 8000", StringComparison.Ordinal))
            .ShouldBe(10);
        lines.ShouldContain("busy_wait_seconds_sum{n=\"3\"} 4000");
    }

    [Fact]
    public async Task ObservableGauge_HasASeriesOnlyWhileItsCallbackYieldsIt()
    {
        List<string> nodes = ["a", "b"];
        _exporter.Meter.CreateObservableGauge("up", () => nodes.Select(node => new Measurement<int>(1, new KeyValuePair<string, object?>("node", node))));
        (await _exporter.LinesAsync("up{")).ShouldBe(["up{node=\"a\"} 1", "up{node=\"b\"} 1"]);

        nodes = ["b"];
        (await _exporter.LinesAsync("up{")).ShouldBe(["up{node=\"b\"} 1"]);

        nodes = [];
        (await _exporter.LinesAsync("up")).ShouldBeEmpty();

        nodes = ["a"];
        (await _exporter.LinesAsync("up{")).ShouldBe(["up{node=\"a\"} 1"]);
    }

    [Fact]
    public async Task ObservableGauge_ComesBack_WhenAnUntaggedValueWasAbsentForAScrape()
    {
        IEnumerable<Measurement<int>> values = [new(1)];
        _exporter.Meter.CreateObservableGauge("forecast", () => values);
        (await _exporter.LinesAsync("forecast"))[^1].ShouldBe("forecast 1");

        values = [];
        (await _exporter.LinesAsync("forecast")).ShouldBeEmpty();

        values = [new(2)];
        (await _exporter.LinesAsync("forecast"))[^1].ShouldBe("forecast 2");
    }

    [Fact]
    public async Task Counter_KeepsItsValue_WhenNothingIsAdded()
    {
        _exporter.Meter.CreateCounter<long>("kept").Add(3);
        await _exporter.TextAsync();

        (await _exporter.LinesAsync("kept_total"))[^1].ShouldBe("kept_total 3");
    }

    [Fact]
    public async Task Instruments_Vanish_WhenTheirMeterIsDisposed()
    {
        var meter = new Meter(nameof(Instruments_Vanish_WhenTheirMeterIsDisposed));
        meter.CreateCounter<long>("vanish.counter").Add(3);
        meter.CreateObservableGauge("vanish.gauge", () => 1);
        (await _exporter.LinesAsync("vanish_")).Length.ShouldBe(6);

        meter.Dispose();
        (await _exporter.LinesAsync("vanish_")).ShouldBeEmpty();

        using var again = new Meter(meter.Name);
        again.CreateUpDownCounter<long>("vanish.counter.total").Add(1);
        (await _exporter.LinesAsync("vanish_"))[^1].ShouldBe("vanish_counter_total 1");
    }

    [Fact]
    public async Task Callback_ThatThrows_IsLoggedOnceAndBreaksNothingElse()
    {
        var isBroken = true;
        _exporter.Meter.CreateObservableGauge("fine.before", () => 1);
        _exporter.Meter.CreateObservableGauge("broken", () => Half(() => isBroken));
        _exporter.Meter.CreateObservableGauge("fine.after", () => 2);

        for (var i = 0; i < 3; i++)
        {
            (await _exporter.LinesAsync("broken")).ShouldBeEmpty();
            (await _exporter.LinesAsync("fine_")).ShouldContain("fine_before 1");
            (await _exporter.LinesAsync("fine_")).ShouldContain("fine_after 2");
        }

        _exporter.Logs.Of(4001).ShouldHaveSingleItem().Message.ShouldContain("broken");
        (await _exporter.LinesAsync("prometheus_exporter_callback_failures_total"))[^1].ShouldNotEndWith(" 0");

        isBroken = false;
        (await _exporter.LinesAsync("broken{")).ShouldBe(["broken{node=\"a\"} 1"]);
    }

    [Fact]
    public async Task Counter_DropsNegativeAndNonFiniteValues_AndCountsThem()
    {
        var counter = _exporter.Meter.CreateCounter<double>("picky");
        var histogram = _exporter.Meter.CreateHistogram<double>("picky.wait", "s");
        counter.Add(1);
        counter.Add(-5);
        counter.Add(double.NaN);
        histogram.Record(1);
        histogram.Record(double.NaN);
        histogram.Record(double.PositiveInfinity);

        var text = await _exporter.TextAsync();
        text.ShouldContain("\npicky_total 1\n");
        text.ShouldContain("\npicky_wait_seconds_sum 1\n");
        text.ShouldContain("\nprometheus_exporter_dropped_measurements_total{reason=\"invalid_value\"} 4\n");
    }

    [Fact]
    public async Task Tags_OfMeterAndInstrument_BecomeLabels()
    {
        using var meter = _exporter.Meters.Create(new MeterOptions("tagged") { Tags = [new("cluster", "eu")] });
        meter.CreateCounter<long>("tagged", null, null, [new("shard", 1)]).Add(1, new KeyValuePair<string, object?>("node", "a"));

        (await _exporter.LinesAsync("tagged_total{")).ShouldBe(["tagged_total{cluster=\"eu\",node=\"a\",shard=\"1\"} 1"]);
    }

    private static IEnumerable<Measurement<int>> Half(Func<bool> isBroken)
    {
        yield return new Measurement<int>(1, new KeyValuePair<string, object?>("node", "a"));
        if (isBroken()) throw new InvalidOperationException("broken on purpose");
    }
}
