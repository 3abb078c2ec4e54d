using System.Collections.Concurrent;
using System.Net;
using Maintenance.Deploy.ChartTests.Rendering;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>The shell and the wget of the `helm test` pod that asks over HTTP, run against a server of the test.</summary>
public sealed class HttpTestPodTests : IDisposable
{
    private readonly HttpListener _server = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly string _url = $"http://127.0.0.1:{FreePort.Next()}";
    private readonly Task _serving;

    public HttpTestPodTests()
    {
        _server.Prefixes.Add($"{_url}/");
        _server.Start();
        _serving = ServeAsync();
    }

    public void Dispose()
    {
        _server.Close();
        _serving.Wait(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task HttpTest_AsksEachUrl_AndFailsAtTheFirstThatIsRefused()
    {
        (await AskAsync("/healthz/ready", "/metrics")).ShouldBe(0);
        _asked.ShouldBe(["/healthz/ready", "/metrics"]);
        _asked.Clear();
        (await AskAsync("/metrics", "/refused", "/healthz/ready")).ShouldNotBe(0);
        _asked.ShouldBe(["/metrics", "/refused"]);
    }

    private async Task<int> AskAsync(params string[] paths)
    {
        var container = (await Chart.RenderAsync(ChartFolder.In("ci", "default-values.yaml")))["Pod", "maintenance-test-http"].At("spec.containers.0")!;
        List<string> command = [.. container.Items("command").Concat(container.Items("args")).Select(word => word.ToString())];
        command.Count(word => word.StartsWith("http://", StringComparison.Ordinal)).ShouldBe(5);
        // Its own addresses are names of Services; everything else stays as it is.
        command.RemoveAll(word => word.StartsWith("http://", StringComparison.Ordinal));
        command.AddRange(paths.Select(path => _url + path));
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["http_proxy"] = null, ["no_proxy"] = "127.0.0.1" };
        await using var process = ChildProcess.Start(command[0], command[1..], environment);
        var exit = await process.WaitForExitAsync(TimeSpan.FromMinutes(2));
        process.Output.ShouldContain($"{_url}{paths[0]}", process.Tail());
        return exit;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                var context = await _server.GetContextAsync();
                var path = context.Request.Url!.AbsolutePath;
                _asked.Enqueue(path);
                context.Response.StatusCode = path == "/refused" ? 503 : 200;
                context.Response.Close();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }
}
