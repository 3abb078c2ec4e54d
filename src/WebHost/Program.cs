using Maintenance.WebHost.Hosting;
using Microsoft.Extensions.Options;

try
{
    var app = HostSetup.Build(args);
    await app.RunAsync();
    return 0;
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
catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException { InnerException: null or FormatException })
{
    // A wrong setting is the operator's to mend: its name, not a stack trace.
    await Console.Error.WriteLineAsync($"The host cannot start: {exception.Message}");
    return 2;
}
