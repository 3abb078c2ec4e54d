using Maintenance.Testing;

namespace Maintenance.Deploy.OpsTests.Compose;

/// <summary>The Alertmanager of the compose file.</summary>
public sealed class AlertmanagerConfigTests
{
    private static string Configuration { get; } = Path.Combine(BuiltProgram.RepositoryRoot, "deploy", "compose", "alertmanager", "alertmanager.yml");

    [Fact]
    public async Task Configuration_IsAcceptedByAmtool()
    {
        await using var check = ChildProcess.Start("amtool", ["check-config", Configuration]);
        (await check.WaitForExitAsync(TimeSpan.FromMinutes(1))).ShouldBe(0, check.Tail());
    }
}
