using System.Text.Json;
using System.Text.RegularExpressions;
using Maintenance.Deploy.Tests.Prometheus;

namespace Maintenance.Deploy.Tests.Grafana;

/// <summary>The dashboards' files; that their queries return data is shown by the tests on real servers.</summary>
public sealed partial class DashboardsTests
{
    // Grafana sets these itself.
    private static readonly string[] BuiltIn = ["__rate_interval"];

    [Fact]
    public void Dashboards_AreTheFour_EachWithAnIdOfItsOwn()
    {
        Dashboard.All.Select(each => each.Name).ShouldBe(["auth.json", "jobs.json", "overview.json", "redis.json"]);
        Dashboard.All.Select(each => each.Root.GetProperty("uid").GetString()).ShouldBeUnique();
    }

    [Fact]
    public void EachPanel_SaysWhatItShows_InAUnit_FromTheChosenDataSource()
    {
        foreach (var dashboard in Dashboard.All)
        {
            dashboard.Panels.Select(panel => panel.GetProperty("title").GetString()).ShouldBeUnique();
            foreach (var panel in dashboard.Panels)
            {
                var title = $"{dashboard.Name}: {panel.GetProperty("title").GetString()}";
                panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString().ShouldNotBeNullOrEmpty(title);
                panel.GetProperty("datasource").GetProperty("uid").GetString().ShouldBe("${datasource}", title);
                Dashboard.Queries(panel).ShouldNotBeEmpty(title);
            }
        }
    }

    [Fact]
    public void Panels_LieInTheGrid_AndNoneOverAnother()
    {
        foreach (var dashboard in Dashboard.All)
        {
            var cells = new HashSet<(int X, int Y)>();
            foreach (var place in dashboard.Root.GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("gridPos")))
            {
                var (x, y, w, h) = (Number(place, "x"), Number(place, "y"), Number(place, "w"), Number(place, "h"));
                (x + w).ShouldBeLessThanOrEqualTo(24, dashboard.Name);
                for (var i = 0; i < w * h; i++)
                {
                    cells.Add((x + (i % w), y + (i / w))).ShouldBeTrue($"{dashboard.Name} at {x + (i % w)}, {y + (i / w)}");
                }
            }
        }
    }

    [Fact]
    public void Queries_UseOnlyDocumentedMetrics_AndVariablesThatTheDashboardHas()
    {
        foreach (var dashboard in Dashboard.All)
        {
            foreach (var query in dashboard.Panels.SelectMany(Dashboard.Queries))
            {
                KnownMetrics.UnknownIn(query).ShouldBeEmpty(dashboard.Name);
                Variable().Matches(query).Select(match => match.Groups[1].Value).Except(dashboard.Variables.Concat(BuiltIn)).ShouldBeEmpty(query);
            }
        }
    }

    private static int Number(JsonElement place, string name) => place.GetProperty(name).GetInt32();

    [GeneratedRegex(@"\$\{?([a-z_]+)\}?")]
    private static partial Regex Variable();
}
