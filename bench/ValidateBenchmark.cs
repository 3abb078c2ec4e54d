using System.Diagnostics;
using Maintenance.Storage.Sessions;

namespace Maintenance.Bench;

/// <summary>Validations by 64 callers on one connection against the ceiling: bare GETs of the same records by as many callers, in turn, in the same run.</summary>
internal static class ValidateBenchmark
{
    private const int Callers = 64;
    private const int Users = 5_000;
    private const int Runs = 7;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(string[] arguments)
    {
        _ = arguments;
        await using var stage = await Stage.StartAsync();
        var tokens = await stage.FillAsync(Effort.Users(Users), sessionsEach: 1);
        var texts = tokens.ConvertAll(token => token.Value);
        var names = tokens.ConvertAll(token => stage.Keys.Session(token.User, token.Id));

        async Task Validate(int i)
        {
            if (!(await stage.Store.ValidateAsync(texts[i % texts.Count], default)).IsValid)
            {
                throw new InvalidOperationException("A session of the benchmark is not valid.");
            }
        }

        Task Get(int i) => stage.Connection.CallAsync(database => database.StringGetAsync(names[i % names.Count]), default);

        await RateAsync(Validate);
        await RateAsync(Get);
        var validates = new List<double>();
        var gets = new List<double>();
        for (var run = 0; run < Effort.Runs(Runs); run++)
        {
            gets.Add(await RateAsync(Get));
            validates.Add(await RateAsync(Validate));
        }

        Console.WriteLine(Statistics.Row("validate / GET", [.. validates.Zip(gets, (v, g) => v / g)], "0.000"));
        Console.WriteLine(Statistics.Row("validations a second", validates, "0"));
        Console.WriteLine(Statistics.Row("GETs a second", gets, "0"));
        Console.WriteLine($"  (a validation is one MGET of two keys and one PTTL, {SessionToken.Length} characters of token parsed and hashed)");
    }

    private static async Task<double> RateAsync(Func<int, Task> call)
    {
        var done = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = caller; watch.Elapsed < Effort.Slice(Slice); i += Callers)
            {
                await call(i);
                Interlocked.Increment(ref done);
            }
        })));
        return done / watch.Elapsed.TotalSeconds;
    }
}
