using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Maintenance.Deploy.ChartTests.Rendering;

/// <summary>Reads objects into the types of Kubernetes' own API; a field that Kubernetes does not have, or of another type, fails.</summary>
internal static class KubernetesSchema
{
    private static readonly JsonSerializerOptions Strict = new() { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    private static readonly Dictionary<string, Type> Types = new(StringComparer.Ordinal)
    {
        ["v1/ConfigMap"] = typeof(V1ConfigMap),
        ["v1/Secret"] = typeof(V1Secret),
        ["v1/Service"] = typeof(V1Service),
        ["v1/ServiceAccount"] = typeof(V1ServiceAccount),
        ["v1/Pod"] = typeof(V1Pod),
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["batch/v1/CronJob"] = typeof(V1CronJob),
        ["batch/v1/Job"] = typeof(V1Job),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
        ["autoscaling/v2/HorizontalPodAutoscaler"] = typeof(V2HorizontalPodAutoscaler),
        ["networking.k8s.io/v1/NetworkPolicy"] = typeof(V1NetworkPolicy),
        ["networking.k8s.io/v1/Ingress"] = typeof(V1Ingress),
    };

    // Of operators and the Gateway API: Kubernetes does not know them.
    private static readonly string[] Custom =
    [
        "monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PodMonitor", "monitoring.coreos.com/v1/PrometheusRule",
        "gateway.networking.k8s.io/v1/HTTPRoute",
    ];

    /// <exception cref="JsonException">The object is not what Kubernetes expects; the message names the field.</exception>
    public static void Check(JsonNode item)
    {
        var kind = $"{item.Text("apiVersion")}/{item.Text("kind")}";
        if (Types.TryGetValue(kind, out var type))
        {
            item.Deserialize(type, Strict).ShouldNotBeNull();
        }
        else
        {
            Custom.ShouldContain(kind);
        }
    }
}
