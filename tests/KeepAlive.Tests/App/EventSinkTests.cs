using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using KeepAlive.App.Events;
using KeepAlive.Core;
using KeepAlive.Tests.Tidy;

namespace KeepAlive.Tests.App;

public sealed class EventSinkTests : IDisposable
{
    private static readonly HashSet<string> All = [];

    private readonly string _folder = Directory.CreateTempSubdirectory("keepalive-events").FullName;

    private string FilePath => Path.Combine(_folder, "events.json");

    [Fact]
    public async Task Events_stand_in_the_file_as_on_stdout()
    {
        var told = new FactTold("notice", "ftp", "a \"name\" from the wire\n");
        await TellAsync(new FileTarget("file", All, FilePath, 1 << 20, 3), told);
        Assert.Equal(EventText.Json(told) + "\n", File.ReadAllText(FilePath));
    }

    [Fact]
    public async Task Only_kinds_that_are_wanted()
    {
        await TellAsync(new FileTarget("file", new HashSet<string> { "died", "failed" }, FilePath, 1 << 20, 3),
            new FactTold("notice", null, "no"), new FactTold("failed", null, "yes"), new FlowTold(new FlowEvent(7, Instant.Zero, FlowEventKind.Died, "yes"), "ftp"));
        Assert.Equal(["failed", "died"], File.ReadAllLines(FilePath).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!));
    }

    [Fact]
    public async Task A_full_file_begins_another_and_the_oldest_goes()
    {
        string text = new('x', 1000);
        for (int run = 0; run < 5; run++)
            await TellAsync(new FileTarget("file", All, FilePath, 1500, 2), new FactTold("notice", null, $"{run} {text}"));
        Assert.Equal(["events.json", "events.json.1", "events.json.2"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
        Assert.Equal(["4", "3", "2"], Directory.GetFiles(_folder).Order().Select(file => JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("text").GetString()![..1]));
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_told_of_once()
    {
        var told = new List<string>();
        EventSink sink = new FileTarget("file", All, Path.Combine(_folder, "missing", "events.json"), 1 << 20, 3).Open();
        var first = new TaskCompletionSource();
        sink.Failed += why =>
        {
            told.Add(why);
            first.TrySetResult();
        };
        sink.Start();
        sink.Tell(new FactTold("notice", null, "a"));
        await first.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await sink.DisposeAsync();
        Assert.Contains("missing", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_target_read_again_is_the_same()
    {
        var one = new FileTarget("file", new HashSet<string> { "died", "failed" }, FilePath, 1, 1);
        Assert.Equal(one, new FileTarget("file", new HashSet<string> { "failed", "died" }, FilePath, 1, 1));
        Assert.NotEqual(one, one with { Keep = 2 });
        Assert.NotEqual(one, one with { Kinds = new HashSet<string> { "died" } });
    }

    [Fact]
    public void Every_kind_that_the_daemon_tells_of_can_be_asked_for()
    {
        string[] told = [.. SourceTree.Files("src/KeepAlive.App").SelectMany(file => Regex.Matches(file.Text, """\b(?:Tell|FactTold)\((?:[^"()]*\? )?"([a-z-]+)"(?: : [^"]*"([a-z-]+)")*""")
            .SelectMany(m => m.Groups.Values.Skip(1).SelectMany(g => g.Captures).Select(c => c.Value))).Distinct()];
        Assert.Contains("observing", told);
        Assert.All(told, kind => Assert.True(EventText.Kinds.Contains(kind), string.Create(CultureInfo.InvariantCulture, $"'{kind}' is told and not in EventText.Kinds")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task TellAsync(EventTarget target, params ToldEvent[] events)
    {
        EventSink sink = target.Open();
        sink.Start();
        foreach (ToldEvent e in events) sink.Tell(e);
        await sink.DisposeAsync();
    }
}
