using System.Net;
using System.Text;

namespace Maintenance.Testing.Tests;

public sealed class OtherServersTests
{
    [Fact]
    public async Task Garnet_RunsLua_AndStops()
    {
        await using var server = await GarnetServer.StartAsync();

        (await server.ExecuteAsync("EVAL", "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])", "1", "k", "v")).ShouldBe("v");
        await server.StopAsync();

        server.IsRunning.ShouldBeFalse();
    }

    [Fact]
    public async Task Prometheus_AnswersQueries_OverWhatItScraped()
    {
        using var stop = new CancellationTokenSource();
        var port = FreePort.Next();
        var serving = ServeAsync(port, "# TYPE cats gauge\ncats{colour=\"red\"} 3.5\n", stop.Token);
        await using (var prometheus = await PrometheusServer.StartAsync([$"127.0.0.1:{port}"]))
        {
            var sample = (await prometheus.QueryUntilAnyAsync("cats")).ShouldHaveSingleItem();

            sample.Value.ShouldBe(3.5);
            sample.Labels["colour"].ShouldBe("red");
            sample.Labels["job"].ShouldBe("maintenance");
            (await prometheus.QueryAsync("no_such_series")).ShouldBeEmpty();
            (await prometheus.QueryAsync("scalar(vector(2))")).ShouldHaveSingleItem().Value.ShouldBe(2);
            (await Should.ThrowAsync<InvalidOperationException>(() => prometheus.QueryAsync("sum("))).Message.ShouldContain("parse error");
        }

        await stop.CancelAsync();
        await serving;
    }

    [Theory]
    [InlineData("# HELP cats_total Cats.\n# TYPE cats_total counter\ncats_total 1\n", 0, "")]
    [InlineData("# HELP cats Cats.\n# TYPE cats counter\ncats 1\n", 3, "_total")]
    [InlineData("cats{ 1\n", 1, "error")]
    public async Task Promtool_TellsGoodFromBad(string text, int exitCode, string said)
    {
        var result = await Promtool.CheckMetricsAsync(text);

        result.ExitCode.ShouldBe(exitCode, result.Output);
        result.Output.ShouldContain(said);
    }

    [Fact]
    public async Task Nginx_ServesItsSite_AndSaysWhyItDoesNotStart()
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
        await using (var nginx = await NginxServer.StartAsync(listen => $"server {{ listen {listen}; return 418; }}"))
        {
            using var answer = await http.GetAsync(nginx.Address);
            ((int)answer.StatusCode).ShouldBe(418);
        }

        (await Should.ThrowAsync<InvalidOperationException>(() => NginxServer.StartAsync(listen => $"server {{ listen {listen}; no_such_directive; }}")))
            .Message.ShouldContain("no_such_directive");
    }

    [Fact]
    public async Task Alertmanager_HoldsNothingAtFirst_AndSaysWhyItDoesNotStart()
    {
        var nobody = new Uri("http://127.0.0.1:9/");
        await using var alertmanager = await AlertmanagerServer.StartAsync(nobody);
        (await alertmanager.AlertsAsync()).ShouldBeEmpty();

        await using var other = await HttpReceiver.StartAsync();
        other.Answer = (_, context) =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        };

        // Not the end of a long wait: that is a TimeoutException.
        (await Should.ThrowAsync<InvalidOperationException>(() => AlertmanagerServer.StartAsync(nobody, other.Address.Port))).Message.ShouldContain("address already in use");
    }

    private static async Task ServeAsync(int port, string text, CancellationToken stop)
    {
        using var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        await using var stopping = stop.Register(listener.Stop);
        try
        {
            while (true)
            {
                await AnswerAsync(await listener.GetContextAsync(), text, stop);
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or OperationCanceledException)
        {
            // Stopped.
        }
    }

    private static async Task AnswerAsync(HttpListenerContext context, string text, CancellationToken stop)
    {
        try
        {
            context.Response.ContentType = "text/plain; version=0.0.4";
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text), stop);
            context.Response.Close();
        }
        catch (HttpListenerException)
        {
            // A scrape that was given up after its second; the next one is answered.
        }
    }
}
