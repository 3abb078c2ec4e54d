using Maintenance.WebHost.Admin;
using Maintenance.WebHost.Audit;
using Maintenance.WebHost.Database;
using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

const string Usage = """
    Usage: dotnet Maintenance.WebHost.dll [verb] [--Section:Setting=value ...]

      (no verb)   serves: the API on Api:Port (8080), probes and metrics on Management:Port (8082)
      migrate     makes or completes the tables in the user database (DATABASE_URL), then ends
      create-admin <email> [--unverified]
                  makes a registered account an administrator, then ends; one whose address nobody has verified only if told so
      audit prune --older-than <d.hh:mm:ss> [--dry-run]
                  deletes (counts) rows of the audit trail that are older, as the table's owner, then ends
      --help      this text

    Settings come from appsettings.json, the environment (Api__Port=8080) and the command line; docs/configuration.md has them all.
    Exit codes: 0 done, 1 migrate, create-admin or audit prune failed or a shutdown was cut off, 2 a wrong setting or an unknown verb.
    """;

if (args is ["--help" or "-h" or "help", ..])
{
    Console.WriteLine(Usage);
    return 0;
}

if (args is [var verb, ..] && verb is not ("migrate" or CreateAdminVerb.Name or AuditPruneVerb.Name) && !verb.StartsWith('-'))
{
    await Console.Error.WriteLineAsync($"Unknown verb '{verb}'.{Environment.NewLine}{Usage}");
    return 2;
}

try
{
    if (args is ["migrate", .. var settings])
    {
        await using var built = HostSetup.Build(settings);
        return await DatabaseMigration.RunAsync(built.Services, Console.Out, Console.Error, CancellationToken.None);
    }

    if (args is [CreateAdminVerb.Name, .. var rest])
    {
        await using var built = HostSetup.Build([.. rest.Where(argument => argument.StartsWith('-') && argument != CreateAdminVerb.Unverified)]);
        return await CreateAdminVerb.RunAsync(built.Services, [.. rest.Where(argument => !argument.StartsWith('-') || argument == CreateAdminVerb.Unverified)], CancellationToken.None);
    }

    if (args is [AuditPruneVerb.Name, .. var words])
    {
        if (!AuditPruneVerb.TryRead(words, out var prune))
        {
            await Console.Error.WriteLineAsync(AuditPruneVerb.Usage);
            return 2;
        }

        await using var built = HostSetup.Build([.. prune.Settings]);
        return await AuditPruneVerb.RunAsync(built.Services, prune, Console.Out, Console.Error, CancellationToken.None);
    }

    var app = HostSetup.Build(args);
    var stopping = app.Lifetime.ApplicationStopping;
    try
    {
        await app.RunAsync();
        return 0;
    }
    catch (Exception exception) when (stopping.IsCancellationRequested && IsCutOff(exception))
    {
        await Console.Error.WriteLineAsync("The shutdown took longer than Api:ShutdownTimeout; what was still under way has been cut off.");
        return 1;
    }
}
catch (IOException exception)
{
    await Console.Error.WriteLineAsync($"The host cannot listen (Api:Port, Api:Address, Management:Port, Management:Address): {exception.Message}");
    return 2;
}
catch (AggregateException exception) when (exception.InnerExceptions.All(inner => inner is OptionsValidationException))
{
    foreach (var inner in exception.InnerExceptions)
    {
        await Console.Error.WriteLineAsync($"The host cannot start: {inner.Message}");
    }

    return 2;
}
catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException { InnerException: null or FormatException or ArgumentException })
{
    // A wrong setting is the operator's to mend: its name, not a stack trace.
    await Console.Error.WriteLineAsync($"The host cannot start: {exception.Message}");
    return 2;
}

// What did not stop in its time says so by having been cancelled.
static bool IsCutOff(Exception exception) =>
    exception is OperationCanceledException || (exception is AggregateException { InnerExceptions: var inner } && inner.All(one => one is OperationCanceledException));
