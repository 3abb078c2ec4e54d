
namespace Maintenance.Worker.Status;

/// <summary>Probes and endpoints of the management port.</summary>
internal static class ManagementEndpoints
{
    public static void MapManagement(this WebApplication app)
    {
        app.MapGet("/healthz/live", () => TypedResults.Text("live"));
    }
}
