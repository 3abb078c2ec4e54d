using Maintenance.Bench;

var benchmarks = new Dictionary<string, (string What, Func<string[], Task> Run)>(StringComparer.Ordinal)
{
    ["bytes"] = ("bytes of used_memory for a session, its index share and its generation share", BytesBenchmark.RunAsync),
    ["validate"] = ("validations a second, as a share of bare pipelined GETs on the same connection", ValidateBenchmark.RunAsync),
    ["outage"] = ("a validation while Redis is dead, before and after the breaker opens", OutageBenchmark.RunAsync),
    ["sweep"] = ("a whole reconciliation at full speed, in multiples of a bare SCAN (./dev bench sweep [users])", SweepBenchmark.RunAsync),
    ["foreign"] = ("a whole pass over the store of another program at full speed, in multiples of a bare SCAN (./dev bench foreign [users])", ForeignBenchmark.RunAsync),
    ["host"] = ("the web host: verify against an empty endpoint, a log-in against its hash, known against unknown addresses (./dev bench host [verify|login|times] [requests])", HostBenchmark.RunAsync),
};
if (args is ["--help" or "-h" or "help", ..])
{
    Console.WriteLine("Usage: ./dev bench [--quick] [name ...]   without a name: all; --quick only shows that they work");
    foreach (var (name, benchmark) in benchmarks)
    {
        Console.WriteLine($"  {name,-10} {benchmark.What}");
    }

    return 0;
}

Effort.Quick = args is ["--quick", ..];
args = Effort.Quick ? args[1..] : args;

// A benchmark's own arguments follow its name.
var names = args.Length == 0 ? [.. benchmarks.Keys] : args.Where((name, i) => i == 0 || benchmarks.ContainsKey(name)).ToArray();
if (names.FirstOrDefault(name => !benchmarks.ContainsKey(name)) is { } unknown)
{
    await Console.Error.WriteLineAsync($"No benchmark '{unknown}'; there are {string.Join(", ", benchmarks.Keys)}.");
    return 2;
}

Console.WriteLine(Machine.Describe());
foreach (var name in names)
{
    Console.WriteLine();
    Console.WriteLine($"{name}: {benchmarks[name].What}");
    await benchmarks[name].Run([.. args.SkipWhile(argument => argument != name).TakeWhile((argument, i) => i == 0 || !benchmarks.ContainsKey(argument))]);
}

return 0;
