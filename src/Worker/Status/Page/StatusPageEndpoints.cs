using Maintenance.Pages;
using Maintenance.Worker.Hosting;
using Maintenance.Worker.Scheduling;
using Microsoft.Extensions.Options;

namespace Maintenance.Worker.Status.Page;

/// <summary>The status page, its forms and its stream of changes.</summary>
internal static class StatusPageEndpoints
{
    private static readonly TimeSpan PauseLength = TimeSpan.FromHours(1);

    public static IServiceCollection AddStatusPage(this IServiceCollection services)
    {
        services.AddSingleton<StatusWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<StatusWatch>());
        services.AddSingleton<StatusReader>();
        services.AddSingleton(provider => new StatusStream(
            provider.GetRequiredService<StatusReader>().Version, provider.GetRequiredService<IHostApplicationLifetime>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<PageSession>();
        return services;
    }

    public static void MapStatusPage(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.StatusPage)
        {
            app.MapGet("/", () => TypedResults.Redirect("/health"));
            return;
        }

        app.MapPageAssets();
        app.MapGet("/", Show);
        app.MapGet("/events", Stream);
        app.MapGet("/sign-in", IResult (HttpContext context, ManagementToken token, PageSession session) =>
            !token.IsConfigured || session.Read(context.Request) is not null ? new SeeOther(".") : SignInPage(token, TokenAnswer.Right, StatusCodes.Status200OK));
        app.MapPost("/sign-in", SignInAsync);
        var forms = app.MapGroup("").AddEndpointFilter<PageFormFilter>();
        forms.MapPost("/sign-out", (HttpContext context) =>
        {
            PageSession.SignOut(context);
            return new SeeOther(".");
        });
        forms.MapPost("/run", RunAsync);
        forms.MapPost("/pause", (HttpContext context, PauseState pause, StatusWatch watch) =>
            PauseAsync(context, watch, stop => pause.SetAsync(PauseLength, "the status page", stop), Notice.PausedNow));
        forms.MapPost("/resume", (HttpContext context, PauseState pause, StatusWatch watch) =>
            PauseAsync(context, watch, stop => pause.EndAsync("the status page", stop), Notice.Resumed));
    }

    /// <summary>What is served without a session, because it holds nothing or asks for itself.</summary>
    public static bool AsksForItself(PathString path) =>
        path.StartsWithSegments($"/{PageAssets.Folder}", StringComparison.OrdinalIgnoreCase)
        || path.Value?.ToLowerInvariant() is "/sign-in" or "/sign-out" or "/run" or "/pause" or "/resume";

    /// <summary>The answer to somebody who must sign in first: a page for a browser, null for a program.</summary>
    public static IResult? Door(HttpContext context, ManagementToken token) =>
        context.RequestServices.GetRequiredService<IOptions<ManagementOptions>>().Value.StatusPage
            && HttpMethods.IsGet(context.Request.Method)
            && context.Request.Path == "/"
            && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
                ? SignInPage(token, TokenAnswer.Right, StatusCodes.Status401Unauthorized)
                : null;

    private static PageResult<StatusPage> Show(HttpContext context, StatusReader reader, PageSession session, ManagementToken token) =>
        new(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [nameof(StatusPage.Model)] = reader.Read(),
            [nameof(StatusPage.Session)] = session.Read(context.Request),
            [nameof(StatusPage.TokenIsConfigured)] = token.IsConfigured,
            [nameof(StatusPage.Notice)] = Notice.Read(context.Request.Query),
        });

    private static PageResult<SignInPage> SignInPage(ManagementToken token, TokenAnswer answer, int statusCode) =>
        new(new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(Page.SignInPage.Answer)] = answer, [nameof(Page.SignInPage.Required)] = token.IsRequiredEverywhere }, statusCode);

    private static IResult Stream(HttpContext context, StatusStream stream)
    {
        if (stream.TryOpen() is not { } place)
        {
            return TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }

        // Whoever has gone before the first event gives it back too.
        context.Response.RegisterForDispose(place);
        PageHeaders.Set(context.Response);
        // Some proxies would collect the events.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        return TypedResults.ServerSentEvents(stream.ReadAsync(context.RequestAborted));
    }

    private static async Task<IResult> SignInAsync(HttpContext context, ManagementToken token, PageSession session)
    {
        if (!token.IsConfigured || !SameOrigin.Sent(context.Request) || await PageForm.ReadAsync(context) is not { } form)
        {
            return new SeeOther(".");
        }

        switch (session.SignIn(context, form["token"].ToString().Trim()))
        {
            case TokenAnswer.Right:
                return new SeeOther(".");
            case TokenAnswer.TooMany:
                TokenFilter.SayWhen(context.Response);
                return SignInPage(token, TokenAnswer.TooMany, StatusCodes.Status429TooManyRequests);
            default:
                return SignInPage(token, TokenAnswer.Wrong, StatusCodes.Status401Unauthorized);
        }
    }

    private static async Task<IResult> RunAsync(HttpContext context, JobsView view, JobRunner runner, IHostApplicationLifetime lifetime)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var name = form["job"].ToString();
        if (view.Find(name) is null)
        {
            return new SeeOther(".");
        }

        // The run outlives the request that asked for it.
        var start = await runner.BeginAsync(new RunRequest(name) { DryRun = form["dry-run"] == "true" }, lifetime.ApplicationStopping);
        return new SeeOther(Notice.Address(start.Refusal == RunRefusal.None ? Notice.Begun : start.Refusal.ToString(), name));
    }

    private static async Task<IResult> PauseAsync(HttpContext context, StatusWatch watch, Func<CancellationToken, Task> change, string notice)
    {
        try
        {
            await change(context.RequestAborted);
        }
        catch (Exception exception) when (exception.IsOfRedis())
        {
            notice = nameof(RunRefusal.NoLease);
        }

        await watch.LookAsync(context.RequestAborted);
        return new SeeOther(Notice.Address(notice, null));
    }
}

/// <summary>Lets a form of the page pass: sent by our own page, in a browser that gave the token, with that page's own signature.</summary>
internal sealed class PageFormFilter(PageSession sessions) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (sessions.Read(http.Request) is not { } session)
        {
            return new SeeOther("sign-in");
        }

        var form = await PageForm.ReadAsync(http);
        return SameOrigin.Sent(http.Request) && sessions.IsOwn(session, form?[PageForm.TokenField])
            ? await next(context)
            : new SeeOther(Notice.Address(Notice.Foreign, null));
    }
}
