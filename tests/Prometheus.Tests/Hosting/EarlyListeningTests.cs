using System.Diagnostics.Metrics;
using System.Text;
using Maintenance.Prometheus.Exposition;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Maintenance.Prometheus.Tests.Hosting;

public class EarlyListeningTests
{
    [Fact]
    public async Task Scrape_HasZeroesOfAnotherHostedServicesConstructor_WhenThatWasRegisteredBefore()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddHostedService<Early>();
        builder.Services.AddPrometheusExporter();
        using var host = builder.Build();
        await host.StartAsync();

        var body = await host.Services.GetRequiredService<Scraper>().ScrapeAsync(ExpositionFormat.Text, CancellationToken.None);

        Encoding.UTF8.GetString(body.Span).ShouldContain("\nearly_total{at=\"constructor\"} 0\nearly_total{at=\"start\"} 0\n");
        await host.StopAsync();
    }

    [Fact]
    public void AddPrometheusExporter_RegistersOneExporter_WhenCalledTwice()
    {
        var services = new ServiceCollection();
        services.AddPrometheusExporter();
        services.AddPrometheusExporter(options => options.MaxSeriesPerInstrument = 7);

        services.Count(d => d.ServiceType == typeof(IHostedService)).ShouldBe(1);
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IOptions<PrometheusExporterOptions>>().Value.MaxSeriesPerInstrument.ShouldBe(7);
    }

    [Fact]
    public async Task Start_Fails_WhenTheLimitIsNotPositive()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Services.AddPrometheusExporter(options => options.MaxSeriesPerInstrument = 0);
        using var host = builder.Build();

        var error = await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync());
        error.Message.ShouldContain("MaxSeriesPerInstrument");
    }

    private sealed class Early : IHostedService
    {
        private readonly Counter<long> _counter;

        public Early(IMeterFactory meters)
        {
            _counter = meters.Create("early").CreateCounter<long>("early");
            _counter.Add(0, new KeyValuePair<string, object?>("at", "constructor"));
        }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            _counter.Add(0, new KeyValuePair<string, object?>("at", "start"));
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
