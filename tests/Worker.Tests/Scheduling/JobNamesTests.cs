using Maintenance.Worker.Scheduling;

namespace Maintenance.Worker.Tests.Scheduling;

public sealed class JobNamesTests
{
    [Theory]
    [InlineData(JobNames.SessionCleanup, "SessionCleanup")]
    [InlineData(JobNames.IndexReconciliation, "IndexReconciliation")]
    public void Section_IsTheNameWithoutHyphens(string name, string section) => JobNames.Section(name).ShouldBe(section);
}
