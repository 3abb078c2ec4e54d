using Maintenance.Worker.Hosting;
using Maintenance.Worker.Lease;
using Maintenance.Worker.Scheduling;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Maintenance.Worker.Status;

/// <summary>What can be asked of the jobs, and told to them.</summary>
internal static class JobsEndpoints
{
    private static readonly TimeSpan DefaultPause = TimeSpan.FromHours(1);

    public static void MapJobs(this WebApplication app)
    {
        var api = app.MapGroup("/api");
        api.MapGet("/jobs", OverviewAsync);
        api.MapGet("/jobs/{name}", (string name, JobsView view) =>
            view.Find(name) is { } job ? (IResult)TypedResults.Json(job) : Unknown(name));

        var changing = api.MapGroup("").AddEndpointFilter<TokenFilter>();
        changing.MapPost("/jobs/{name}/run", RunAsync);
        changing.MapPost("/pause", PauseAsync);
        changing.MapDelete("/pause", ResumeAsync);
    }

    private static async Task<IResult> OverviewAsync(JobsView view, PauseState pause, ReplicaName replica, CancellationToken cancellationToken)
    {
        Pause? paused = null;
        try
        {
            paused = await pause.GetAsync(cancellationToken);
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            // The jobs are shown all the same; /health says that Redis is away.
        }

        return TypedResults.Json(new JobsOverview(replica.Value, paused, view.All()));
    }

    private static async Task<IResult> RunAsync(string name, JobsView view, JobRunner runner, IHostApplicationLifetime lifetime, bool dryRun = false)
    {
        if (view.Find(name) is null)
        {
            return Unknown(name);
        }

        // The run outlives the request that asked for it.
        var start = await runner.BeginAsync(new RunRequest(name) { DryRun = dryRun }, lifetime.ApplicationStopping);
        if (start.Refusal == RunRefusal.None)
        {
            return TypedResults.Json(new RunAccepted(start.RunId, $"/api/jobs/{name}"), statusCode: StatusCodes.Status202Accepted);
        }

        var result = await start.Completion;
        return TypedResults.Json(
            new ProblemText(result.Errors.Count > 0 ? result.Errors[0] : result.Reason ?? "not run"),
            statusCode: start.Refusal is RunRefusal.NoLease or RunRefusal.Stopping ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> PauseAsync(PauseState pause, CancellationToken cancellationToken, string? @for = null)
    {
        var length = DefaultPause;
        if (@for is not null && !PauseState.TryParseLength(@for, out length, out var problem))
        {
            return TypedResults.Json(new ProblemText($"for={problem}"), statusCode: StatusCodes.Status400BadRequest);
        }

        return await ReachingRedisAsync(async () => TypedResults.Json(await pause.SetAsync(length, "the API", cancellationToken)));
    }

    private static Task<IResult> ResumeAsync(PauseState pause, CancellationToken cancellationToken) =>
        ReachingRedisAsync(async () => TypedResults.Json(new { Ended = await pause.EndAsync("the API", cancellationToken) }));

    private static async Task<IResult> ReachingRedisAsync(Func<Task<IResult>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            return TypedResults.Json(new ProblemText(exception.Message), statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static JsonHttpResult<ProblemText> Unknown(string name) =>
        TypedResults.Json(new ProblemText($"No job '{name}'."), statusCode: StatusCodes.Status404NotFound);

    private sealed record RunAccepted(string RunId, string Result);
}
