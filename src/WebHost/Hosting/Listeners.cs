using System.Net;
using Maintenance.Pages;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Maintenance.WebHost.Hosting;

/// <summary>The two ports.</summary>
internal enum Listener
{
    /// <summary>What clients call.</summary>
    Api,

    /// <summary>Probes, health and metrics, for the operator's network.</summary>
    Management,
}

/// <summary>Says at which port an endpoint answers. Without it: the API's.</summary>
internal sealed record ListenerMetadata(Listener Listener, bool AlsoOnApi = false);

/// <summary>Keeps the two ports apart by the connection's listener, not by a header that a client chooses.</summary>
internal static class Listeners
{
    private static readonly object Key = new();

    /// <summary>Makes Kestrel listen on both.</summary>
    public static void Listen(KestrelServerOptions kestrel)
    {
        var api = kestrel.ApplicationServices.GetRequiredService<IOptions<ApiOptions>>().Value;
        var management = kestrel.ApplicationServices.GetRequiredService<IOptions<ManagementOptions>>().Value;
        Bind(kestrel, api.Address, api.Port, Listener.Api);
        Bind(kestrel, management.Address, management.Port, Listener.Management);
    }

    /// <summary>Puts endpoints on the management port.</summary>
    /// <param name="builder">The endpoints.</param>
    /// <param name="alsoOnApi">Whether clients may call them too.</param>
    public static TBuilder OnManagementPort<TBuilder>(this TBuilder builder, bool alsoOnApi = false)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ListenerMetadata(Listener.Management, alsoOnApi));

    /// <summary>Hides the endpoints of the other port. After routing.</summary>
    public static IApplicationBuilder UseListeners(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (context.GetEndpoint() is { } endpoint && !Answers(endpoint.Metadata.GetMetadata<ListenerMetadata>(), Of(context)))
        {
            context.SetEndpoint(null);
        }

        return next(context);
    });

    /// <summary>The port that a request came in by.</summary>
    public static Listener Of(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var listener) == true ? (Listener)listener! : Listener.Api;

    private static bool Answers(ListenerMetadata? metadata, Listener listener) =>
        metadata is null ? listener == Listener.Api : metadata.Listener == listener || metadata.AlsoOnApi;

    private static void Bind(KestrelServerOptions kestrel, string setting, int port, Listener listener)
    {
        var inContainer = string.Equals(Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER"), "true", StringComparison.OrdinalIgnoreCase);
        if (!ListenerAddress.TryParse(setting, inContainer, out var address))
        {
            throw new InvalidOperationException($"{listener}:Address is '{setting}'.");
        }

        void Mark(ListenOptions options) => options.Use(next => connection =>
        {
            connection.Items[Key] = listener;
            return next(connection);
        });

        if (address.Equals(IPAddress.IPv6Any))
        {
            kestrel.ListenAnyIP(port, Mark);
        }
        else
        {
            kestrel.Listen(address, port, Mark);
        }
    }
}
