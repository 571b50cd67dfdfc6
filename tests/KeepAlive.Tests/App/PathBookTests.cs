using System.Net;
using KeepAlive.App.Gateways;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Paths.Measure;

namespace KeepAlive.Tests.App;

/// <summary>What is kept of paths, and what a gateway makes of it.</summary>
public sealed class PathBookTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly IPEndPoint Server = IPEndPoint.Parse("192.0.2.1:5432");
    private static readonly TcpChoice Auto = Choice("auto");

    [Fact]
    public void Comes_back_as_it_was_written()
    {
        var book = new PathBook([Measured(350, Answer.Yes)], [Tuned("285:9:75", Noon), Tuned("60:3:20", Noon) with { Remote = IPAddress.Parse("2001:db8::1") }]);
        Assert.True(PathJson.TryRead(PathJson.ToText(book), out PathBook? read, out string? fault), fault);
        Assert.Equal(book.Measured, read.Measured);
        Assert.Equal(book.Tuned, read.Tuned);
    }

    [Fact]
    public void Without_anything_tuned_it_is_read_too()
    {
        Assert.True(PathJson.TryRead("""{ "version": 1, "paths": [] }""", out PathBook? read, out string? fault), fault);
        Assert.Empty(read.Tuned);
    }

    [Theory]
    [InlineData("on")]
    [InlineData("60:15s:4")]
    [InlineData("")]
    public void A_tuned_policy_that_is_none_is_a_fault(string policy)
    {
        string text = PathJson.ToText(new PathBook([], [Tuned("285:9:75", Noon)])).Replace("285:9:75", policy, StringComparison.Ordinal);
        Assert.False(PathJson.TryRead(text, out _, out string? fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void Saving_the_one_kind_keeps_the_other()
    {
        string folder = Directory.CreateTempSubdirectory("keepalive-paths").FullName;
        try
        {
            var store = new PathStore(Path.Combine(folder, "paths.json"));
            store.Save(Tuned("285:9:75", Noon));
            store.Save(Measured(350, Answer.Yes));
            store.Save(Tuned("270:9:75", Noon.AddHours(1)));
            store.Save(Tuned("60:3:20", Noon) with { Remote = IPAddress.Parse("192.0.2.9") });
            PathBook book = store.ReadBook();
            Assert.Equal(["270:9:75", "60:3:20"], book.Tuned.Select(t => $"{t.Policy}"));
            Assert.Equal(store.Read(), book.Measured);
            Assert.Single(book.Measured);
            File.WriteAllText(store.Path, "{");
            Assert.Throws<MachineException>(() => store.Save(Tuned("285:9:75", Noon)));
            Assert.Equal("{", File.ReadAllText(store.Path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void What_was_measured_is_where_a_path_begins_and_its_floor()
    {
        PathKnowledge known = Known(Auto, [Measured(350, Answer.Yes)], [])!;
        Assert.Equal("150:4:25 150:4:25", $"{known.Start} {known.Enough}");
        Assert.Equal("192.0.2.1: measured on 2026-03-01 12:00 UTC to db.example.com:7201: 5m50s of silence are survived: kernel keepalive 150:4:25", known.Text);
        PathKnowledge given = Known(Choice("7200:9:75"), [Measured(350, Answer.Yes)], [Tuned("285:9:75", Noon)])!;
        Assert.Null(given.Start);
        Assert.Equal("150:4:25", $"{given.Enough}");
        Assert.EndsWith("for which 150:4:25 is enough: idle is not tuned below 2m30s", given.Text, StringComparison.Ordinal);
        Assert.Null(Known(Auto, [], []));
    }

    [Fact]
    public void Of_what_was_measured_and_tuned_the_newer_counts()
    {
        PathRecord measured = Measured(350, Answer.Yes);
        PathKnowledge known = Known(Auto, [measured], [Tuned("285:9:75", Noon.AddDays(1))])!;
        Assert.Equal("285:9:75 150:4:25", $"{known.Start} {known.Enough}");
        Assert.Equal("192.0.2.1: tuned until 2026-03-02 12:00 UTC, 100 idle times lived through by 7 flow(s): kernel keepalive 285:9:75", known.Text);
        Assert.Equal("150:4:25", $"{Known(Auto, [measured], [Tuned("285:9:75", Noon.AddDays(-1))])!.Start}");
        // A neighbour's measurement is worth less than what was seen of the path itself.
        PathRecord neighbour = measured with { Remote = IPEndPoint.Parse("192.0.2.77:7201") };
        Assert.Equal("285:9:75", $"{Known(Auto, [neighbour], [Tuned("285:9:75", Noon.AddDays(-1))])!.Start}");
    }

    [Theory]
    [InlineData(350, Answer.No, "kernel keepalive does not refresh it: it stays 60:3:20; probes of the protocol (--probe) are what helps")]
    [InlineData(2, Answer.Yes, "too little for kernel keepalive, which counts whole seconds: it stays 60:3:20")]
    [InlineData(350, Answer.Unknown, "whether kernel keepalive refreshes it was not found out: it stays 60:3:20")]
    public void Where_keepalive_does_not_help_it_says_what_does(int survived, Answer refreshes, string said)
    {
        PathKnowledge known = Known(Auto, [Measured(survived, refreshes)], [])!;
        Assert.Null(known.Start);
        Assert.Null(known.Enough);
        Assert.Contains(said, known.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tcp_takes_auto_and_every_SPEC()
    {
        Assert.Equal((true, "auto", "60:3:20"), (Auto.IsByPath, $"{Auto}", $"{Auto.Spec}"));
        Assert.Equal((false, "5:3:2"), (Choice("5:3:2").IsByPath, $"{Choice("5:3:2")}"));
        Assert.False(TcpChoice.TryParse("5:x:2", out _, out string? fault));
        Assert.EndsWith("; or 'auto' for what is known of each path", fault, StringComparison.Ordinal);
    }

    private static PathKnowledge? Known(TcpChoice choice, PathRecord[] measured, TunedRecord[] tuned) => new KnownPaths(new PathBook(measured, tuned), choice).Of(Server);

    private static TcpChoice Choice(string text) => TcpChoice.TryParse(text, out TcpChoice choice, out string? fault) ? choice : throw new FormatException(fault);

    private static TunedRecord Tuned(string policy, DateTimeOffset at) => new(Server.Address, at, KeepAliveSpec.Parse(policy).Policy!, 100, 7);

    private static PathRecord Measured(int survived, Answer refreshes) => new("db.example.com:7201", IPEndPoint.Parse("192.0.2.1:7201"), "198.51.100.4", Noon, new PathFinding
    {
        Low = TimeSpan.FromSeconds(survived),
        High = TimeSpan.FromSeconds(survived + 1),
        Expiry = Expiry.Silent,
        ClientKeepAlive = refreshes,
    });
}
