using System.Net;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Paths.Measure;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Paths;

public sealed class PathStoreTests
{
    private static readonly PathRecord Known = new("far.example.com:7201", new IPEndPoint(IPAddress.Parse("203.0.113.7"), 7201), "192.0.2.1", new DateTimeOffset(2026, 11, 20, 3, 4, 5, TimeSpan.Zero), new PathFinding
    {
        Low = TimeSpan.FromSeconds(349.6),
        High = TimeSpan.FromSeconds(350.4),
        Expiry = Expiry.Silent,
        ClientRevives = Answer.Yes,
        ClientKeepAlive = Answer.Yes,
        ServerKeepAlive = Answer.No,
        ClientBytes = Answer.Yes,
        ServerBytes = Answer.Unknown,
        KeepAliveCrosses = Answer.Yes,
        Connections = 133,
        Failed = 1,
        Took = TimeSpan.FromSeconds(735.25),
        RoundTrip = TimeSpan.FromMilliseconds(12.5),
    });

    [Fact]
    public void Gives_back_what_was_kept()
    {
        using var work = new WorkFolder();
        var store = new PathStore(Path.Combine(work.Path, "not", "there", "yet", "paths.json"));
        Assert.Empty(store.Read());
        store.Save(Known);
        Assert.Equal(Known, Assert.Single(store.Read()));
        PathRecord unlimited = Known with { Remote = new IPEndPoint(IPAddress.IPv6Loopback, 7201), Finding = Known.Finding with { High = null, Expiry = Expiry.None } };
        store.Save(unlimited);
        Assert.Equal([Known, unlimited], store.Read().OrderBy(r => r.Finding.High is null));
    }

    [Fact]
    public void A_new_measurement_takes_the_place_of_the_same_path_s()
    {
        using var work = new WorkFolder();
        var store = new PathStore(work.File("paths.json"));
        PathRecord later = Known with { MeasuredAt = Known.MeasuredAt.AddDays(1) }, elsewhere = later with { Local = "198.51.100.1" };
        foreach (PathRecord record in (PathRecord[])[Known, later, elsewhere]) store.Save(record);
        Assert.Equal([later, elsewhere], store.Read().OrderBy(r => r.Local, StringComparer.Ordinal));
    }

    [Fact]
    public void The_nearest_is_found()
    {
        PathRecord[] all =
        [
            Known with { Target = "neighbour", Remote = Of("203.0.113.9", 1) }, Known with { Target = "port", Remote = Of("203.0.113.7", 2) },
            Known with { Target = "older", MeasuredAt = Known.MeasuredAt.AddDays(-1) }, Known,
        ];
        Assert.Equal(Known, PathStore.Find(all, Of("203.0.113.7", 7201)));
        Assert.Equal("port", PathStore.Find(all[..2], Of("203.0.113.7", 7201))?.Target);
        Assert.Equal("neighbour", PathStore.Find(all[..1], Of("203.0.113.200", 443))?.Target);
        Assert.Null(PathStore.Find(all, Of("203.0.114.7", 7201)));
        Assert.Null(PathStore.Find(all, Of("2001:db8::1", 7201)));
    }

    [Fact]
    public async Task Those_who_save_at_once_lose_nothing()
    {
        using var work = new WorkFolder();
        await Task.WhenAll(Enumerable.Range(1, 40).Select(i => Task.Run(() => new PathStore(work.File("paths.json")).Save(Known with { Remote = Of($"203.0.113.{i}", 1) }))));
        Assert.Equal(40, new PathStore(work.File("paths.json")).Read().Count);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":2,\"paths\":[]}")]
    [InlineData("{\"version\":1,\"paths\":[{\"target\":\"x\"}]}")]
    public void A_file_that_is_none_of_ours_is_told_of_and_left_alone(string text)
    {
        using var work = new WorkFolder();
        var store = new PathStore(work.File("paths.json"));
        File.WriteAllText(store.Path, text);
        Assert.Contains("move it away", Assert.Throws<MachineException>(() => store.Save(Known)).Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(store.Path));
    }

    [Fact]
    public async Task List_judges_by_it()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        new PathStore(work.File("paths.json")).Save(Known with { Remote = new IPEndPoint(lab.Server.Address, 1), Finding = Known.Finding with { Low = TimeSpan.FromSeconds(40) } });
        using System.Net.Sockets.Socket listener = await lab.Server.InsideAsync(() => Gateway.DataEnds.Listen(lab.Server.Address));
        using System.Net.Sockets.Socket client = await lab.Client.InsideAsync(() => new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp));
        KeepAlive.Sockets.KernelKeepAlive.Apply(client, KeepAliveSpec.Parse("50:4:15"));
        await client.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        await using ChildProcess list = await lab.Client.StartAsync([Path.Combine(Repository.Root, "keepalive"), "list", "--all"],
            environment: new Dictionary<string, string> { ["KEEPALIVE_PATHS"] = work.File("paths.json") });
        await list.WaitForExitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains("too slow for this path: it forgets after 40s (measured 2026-11-20), first probe at 50s", list.Transcript, StringComparison.Ordinal);
    }

    private static IPEndPoint Of(string address, int port) => new(IPAddress.Parse(address), port);
}
