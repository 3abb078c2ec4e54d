namespace Maintenance.Testing.Tests;

public sealed class ChildProcessTests
{
    private const string Script = "echo out $GREETING; echo err >&2; exit 3";

    [Fact]
    public async Task Start_CapturesBothStreamsAndTheExitCode()
    {
        await using var child = ChildProcess.Start("bash", ["-c", Script], new Dictionary<string, string?> { ["GREETING"] = "hello" });

        (await child.WaitForExitAsync()).ShouldBe(3);

        child.Output.ShouldBe(["out hello"]);
        child.Errors.ShouldBe(["err"]);
    }

    [Fact]
    public async Task WaitForLine_ReturnsTheLine_AndFailsWithTheTailWhenTheProcessEnds()
    {
        await using var child = ChildProcess.Start("bash", ["-c", Script]);

        (await child.WaitForLineAsync(line => line.StartsWith("out", StringComparison.Ordinal))).ShouldBe("out");

        (await Should.ThrowAsync<TimeoutException>(() => child.WaitForLineAsync(line => line == "never"))).Message.ShouldContain("ended with 3");
    }

    [Theory]
    [InlineData(Signal.Terminate, 143)]
    [InlineData(Signal.Kill, 137)]
    public async Task Signal_EndsTheProcess(Signal signal, int exitCode)
    {
        await using var child = ChildProcess.Start("sleep", ["60"]);

        await child.SignalAsync(signal);

        (await child.WaitForExitAsync()).ShouldBe(exitCode);
    }

    [Fact]
    public async Task Kill_IsContentWithAnEndedProcess_AndOtherSignalsSayThatItEnded()
    {
        await using var child = ChildProcess.Start("bash", ["-c", Script]);
        await child.WaitForExitAsync();

        await child.SignalAsync(Signal.Kill);
        var failure = await Should.ThrowAsync<InvalidOperationException>(() => child.SignalAsync(Signal.Terminate));

        failure.Message.ShouldContain("had ended before the signal Terminate");
        failure.Message.ShouldContain("err");
    }

    [Fact]
    public async Task WaitForExit_FailsWithTheCommand_WhenItRunsOn()
    {
        await using var child = ChildProcess.Start("sleep", ["60"]);

        var failure = await Should.ThrowAsync<TimeoutException>(() => child.WaitForExitAsync(TimeSpan.FromMilliseconds(50)));

        failure.Message.ShouldContain("sleep 60 still runs");
    }

    [Fact]
    public void Start_NamesTheProgram_WhenItIsNotInstalled() =>
        Should.Throw<FileNotFoundException>(() => ChildProcess.Start("no-such-program", [])).Message.ShouldContain("no-such-program");

    [Fact]
    public void PathOf_NamesTheProject_WhenItIsNotBuilt() =>
        Should.Throw<FileNotFoundException>(() => BuiltProgram.PathOf("Nothing")).Message.ShouldContain("Nothing is not built");
}
