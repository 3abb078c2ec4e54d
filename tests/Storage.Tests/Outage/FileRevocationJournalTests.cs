using System.Text;
using Maintenance.Storage.Outage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Maintenance.Storage.Tests.Outage;

public sealed class FileRevocationJournalTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string folder = Directory.CreateTempSubdirectory("maintenance-journal-").FullName;

    private string File => Path.Combine(folder, "volume", "revocations.journal");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Append_SurvivesTheProcess_InOrder_WithEveryField()
    {
        var entries = new[]
        {
            Entry("1") with { Kind = RevocationKind.User, Except = "kept" },
            Entry("2"),
            Entry("3") with { Kind = RevocationKind.DenylistEntry, User = null, Until = DateTimeOffset.UnixEpoch.AddYears(70), Reason = "line\nbreak" },
        };
        using (var journal = Open())
        {
            foreach (var entry in entries)
            {
                await journal.AppendAsync(entry, None);
            }
        }

        using var next = Open();
        (await next.ReadAllAsync(None)).ShouldBe(entries);
    }

    [Fact]
    public async Task Append_ManyAtOnce_KeepsAll()
    {
        using (var journal = Open())
        {
            await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => journal.AppendAsync(Entry($"{i}"), None))));
        }

        using var next = Open();
        (await next.ReadAllAsync(None)).Select(entry => int.Parse(entry.Id)).Order().ShouldBe(Enumerable.Range(0, 200));
    }

    [Fact]
    public async Task Acknowledge_LetsGo_ForTheNextProcessToo()
    {
        using (var journal = Open())
        {
            await FillAsync(journal, 5);
            await journal.AcknowledgeAsync(["1", "3", "unknown"], None);
            await journal.AppendAsync(Entry("5"), None);
        }

        using (var next = Open())
        {
            (await next.ReadAllAsync(None)).Select(entry => entry.Id).ShouldBe(["0", "2", "4", "5"]);
            await next.AcknowledgeAsync(["0", "2", "4", "5"], None);
        }

        (await System.IO.File.ReadAllTextAsync(File)).ShouldBe(JournalLine.Header);
    }

    [Fact]
    public async Task TornLastLine_IsCutOff_WhereverItWasTorn()
    {
        using (var journal = Open())
        {
            await FillAsync(journal, 2);
        }

        var whole = await System.IO.File.ReadAllBytesAsync(File);
        var last = JournalLine.Write(Entry("1")).Length;
        for (var torn = 1; torn <= last; torn++)
        {
            await System.IO.File.WriteAllBytesAsync(File, whole[..^torn]);
            using (var next = Open())
            {
                (await next.ReadAllAsync(None)).Select(entry => entry.Id).ShouldBe(["0"]);
                await next.AppendAsync(Entry("2"), None);
            }

            using var after = Open();
            (await after.ReadAllAsync(None)).Select(entry => entry.Id).ShouldBe(["0", "2"]);
        }
    }

    [Fact]
    public async Task TornHeader_IsWrittenAnew()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        await System.IO.File.WriteAllTextAsync(File, JournalLine.Header[..7]);
        using (var journal = Open())
        {
            await journal.AppendAsync(Entry("0"), None);
        }

        using var next = Open();
        (await next.ReadAllAsync(None)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task DamageInTheMiddle_StopsTheStart_AndNamesTheLine()
    {
        using (var journal = Open())
        {
            await FillAsync(journal, 3);
        }

        var text = await System.IO.File.ReadAllTextAsync(File);
        var line = JournalLine.Write(Entry("1"));
        await System.IO.File.WriteAllTextAsync(File, text.Replace(line, line.Replace("user", "usor", StringComparison.Ordinal), StringComparison.Ordinal));

        var failure = Should.Throw<InvalidOperationException>(Open);

        failure.Message.ShouldContain("Storage:Outage:JournalFile");
        failure.Message.ShouldContain("line 3");
        (await System.IO.File.ReadAllTextAsync(File)).ShouldContain("usor", Case.Sensitive, "nothing was cut off");
    }

    [Fact]
    public async Task AnotherFile_IsLeftAlone()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        await System.IO.File.WriteAllTextAsync(File, "not a journal, but maybe dear to somebody\n");

        Should.Throw<InvalidOperationException>(Open).Message.ShouldContain("not a revocation journal");

        (await System.IO.File.ReadAllTextAsync(File)).ShouldStartWith("not a journal");
    }

    [Fact]
    public void SecondProcess_IsRefused()
    {
        using var first = Open();

        Should.Throw<InvalidOperationException>(Open).Message.ShouldContain("Storage:Outage:JournalFile");
    }

    [Fact]
    public async Task Cap_RefusesOneMore_UntilOneIsAcknowledged()
    {
        using var journal = new FileRevocationJournal(File, 2, NullLogger.Instance);
        await FillAsync(journal, 2);

        (await Should.ThrowAsync<IOException>(() => journal.AppendAsync(Entry("2"), None))).Message.ShouldContain("Storage:Outage:JournalEntries");

        await journal.AcknowledgeAsync(["0"], None);
        await journal.AppendAsync(Entry("2"), None);
        (await journal.ReadAllAsync(None)).Select(entry => entry.Id).ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task CrashBeforeTheRename_LeavesTheOldFile()
    {
        using (var journal = Open())
        {
            await FillAsync(journal, 2);
        }

        await System.IO.File.WriteAllTextAsync(File + ".next", JournalLine.Header[..3], Encoding.UTF8);
        using var next = Open();
        (await next.ReadAllAsync(None)).Count.ShouldBe(2);
        await next.AcknowledgeAsync(["0"], None);
        (await next.ReadAllAsync(None)).ShouldHaveSingleItem();
    }

    private FileRevocationJournal Open() => new(File, 1000, NullLogger.Instance);

    private static JournalledRevocation Entry(string id) => new()
    {
        Id = id, Kind = RevocationKind.Session, At = DateTimeOffset.UnixEpoch.AddYears(60), User = "user", Subject = $"subject {id}",
    };

    private static async Task FillAsync(FileRevocationJournal journal, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await journal.AppendAsync(Entry($"{i}"), None);
        }
    }
}
