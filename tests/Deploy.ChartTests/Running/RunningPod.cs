using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Maintenance.Deploy.ChartTests.Images;
using Maintenance.Deploy.ChartTests.Rendering;

namespace Maintenance.Deploy.ChartTests.Running;

/// <summary>
/// A pod of the rendered chart, run here as a kubelet would: environment, arguments, files, user, mounts, read-only root, probes and the time it is
/// given to end are the manifest's. The program is the published one, at its place, by the entry point and with the variables of its Dockerfile. What
/// the image's base brings is not here: the host's <c>/usr</c> stands for it, and the host's network for the pod's.
/// </summary>
internal sealed class RunningPod : IAsyncDisposable
{
    // What Microsoft's chiseled image without a runtime sets.
    private static readonly string[] BaseEnvironment =
    [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "APP_UID=1654", "ASPNETCORE_HTTP_PORTS=8080", "DOTNET_RUNNING_IN_CONTAINER=true",
        "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true",
    ];

    private static readonly HttpClient Http = new();

    private readonly ContainerRoot _root;
    private readonly JsonNode _spec;

    private RunningPod(JsonNode spec, ContainerRoot root, ChildProcess process)
    {
        _spec = spec;
        _root = root;
        Process = process;
    }

    public ChildProcess Process { get; }

    private JsonNode Container => _spec.At("containers.0")!;

    public TimeSpan Grace => TimeSpan.FromSeconds(double.Parse(_spec.Text("terminationGracePeriodSeconds") ?? "30"));

    /// <summary>Starts the pod of a workload.</summary>
    /// <param name="manifests">What the chart rendered.</param>
    /// <param name="kind">Deployment, Job, CronJob or Pod.</param>
    /// <param name="name">Its name.</param>
    /// <param name="secrets">Secrets that somebody made before, by name and key.</param>
    /// <param name="image">The image, by the name of its Dockerfile; null if the command is one of the system's.</param>
    /// <param name="command">Instead of the container's own command: what <c>kubectl exec</c> would run in such a container.</param>
    public static RunningPod Start(
        Manifests manifests,
        string kind,
        string name,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> secrets,
        string? image,
        params string[] command)
    {
        var workload = manifests[kind, name];
        var spec = (kind switch
        {
            "Pod" => workload["spec"],
            "CronJob" => workload.At("spec.jobTemplate.spec.template.spec"),
            _ => workload.At("spec.template.spec"),
        })!;
        var file = image is null ? null : ImageFile.Of(image);
        var root = new ContainerRoot(spec, manifests, secrets, file);
        try
        {
            file?.User.ShouldBe($"{root.User}:{root.Group}", "the manifest and the Dockerfile name the same user");
            var environment = Environment(spec, root);
            string[] own = [.. spec.Items("containers.0.command").Select(part => part.ToString())];
            string[] arguments = [.. spec.Items("containers.0.args").Select(part => Expanded(part.ToString(), environment))];
            string[] line = command.Length > 0 ? command : [.. own.Length > 0 ? own : file!.EntryPoint, .. arguments];
            var process = ChildProcess.Start(
                "unshare",
                [
                    "--mount", "--uts", "bash", Path.Combine(AppContext.BaseDirectory, "Running", "sandbox.sh"), root.Path, $"{name}-0", $"{root.User}", $"{root.Group}",
                    "/usr/bin/env", "-i", $"--chdir={file?.WorkingFolder ?? "/"}", .. BaseEnvironment, .. file?.Environment ?? [], .. environment.Select(variable => $"{variable.Key}={variable.Value}"), .. line,
                ]);
            return new RunningPod(spec, root, process);
        }
        catch
        {
            root.Dispose();
            throw;
        }
    }

    /// <summary>The address of a port of the container.</summary>
    public Uri Address(string portName, string path)
    {
        var port = Container.Items("ports").Single(item => item.Text("name") == portName).Text("containerPort");
        return new Uri($"http://127.0.0.1:{port}{path}");
    }

    /// <summary>One answer of a probe, within the probe's own patience; null when there was none.</summary>
    public async Task<HttpStatusCode?> ProbeAsync(string probe)
    {
        var get = Container.At($"{probe}.httpGet")!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(double.Parse(Container.Text($"{probe}.timeoutSeconds") ?? "1")));
        try
        {
            using var response = await Http.GetAsync(Address(get.Text("port")!, get.Text("path")!), patience.Token);
            return response.StatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Awaits a probe's success for as long as a kubelet would go on trying.</summary>
    public Task SucceedsAsync(string probe, TimeSpan? within = null) => BecomesAsync(probe, HttpStatusCode.OK, within);

    public async Task BecomesAsync(string probe, HttpStatusCode status, TimeSpan? within = null)
    {
        within ??= TimeSpan.FromSeconds(
            double.Parse(Container.Text($"{probe}.periodSeconds") ?? "10") * double.Parse(Container.Text($"{probe}.failureThreshold") ?? "3"));
        HttpStatusCode? last = null;
        try
        {
            await Eventually.TrueAsync(async () => Process.HasExited || (last = await ProbeAsync(probe)) == status, within);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{probe} is {last}, not {status}, after {within}. {Process.Tail()}", exception);
        }

        last.ShouldBe(status, $"{probe}; the process has ended: {Process.ExitCode}. {Process.Tail()}");
    }

    public async Task<string> GetAsync(string portName, string path) => await Http.GetStringAsync(Address(portName, path));

    /// <summary>SIGTERM, then its end within the manifest's grace period.</summary>
    /// <returns>Exit code and how long it took.</returns>
    /// <exception cref="TimeoutException">A kubelet would have killed it.</exception>
    public async Task<(int ExitCode, TimeSpan Took)> TerminateAsync()
    {
        var drain = TimeSpan.FromSeconds(double.Parse(Container.Text("lifecycle.preStop.sleep.seconds") ?? "0"));
        var started = Stopwatch.GetTimestamp();
        await Process.SignalAsync(Signal.Terminate);
        var exit = await Process.WaitForExitAsync(Grace - drain);
        return (exit, Stopwatch.GetElapsedTime(started));
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        _root.Dispose();
    }

    private static Dictionary<string, string> Environment(JsonNode spec, ContainerRoot root)
    {
        spec.At("containers.0.envFrom").ShouldBeNull("not supported here");
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in spec.Items("containers.0.env"))
        {
            variables[variable.Text("name")!] = variable.At("valueFrom.secretKeyRef") is { } reference
                ? root.Secret(reference.Text("name")!)[reference.Text("key")!]
                : Expanded(variable.Text("value") ?? "", variables);
        }

        return variables;
    }

    // Kubernetes puts earlier variables into $(NAME).
    private static string Expanded(string text, IReadOnlyDictionary<string, string> variables) =>
        variables.Aggregate(text, (at, variable) => at.Replace($"$({variable.Key})", variable.Value, StringComparison.Ordinal));
}
