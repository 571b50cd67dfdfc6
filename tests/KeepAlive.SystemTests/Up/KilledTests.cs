using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>A daemon that is killed in mid-traffic, and what the next one knows of it.</summary>
public sealed class KilledTests
{
    private const int Idle = 3;

    [Fact]
    public async Task What_was_lost_is_said_once_and_both_ends_see_what_is_documented()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux: what tells one process from another that has its number later");
        using var work = new WorkFolder();
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        int[] ports = Traffic.FreePorts(2);
        string Gateway(string name, int port) => $$"""{ "name": "{{name}}", "listen": "127.0.0.1:{{port}}", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true }""";
        await using UpProcess killed = await UpProcess.StartAsync(work, $$"""{ "gateways": [ {{Gateway("calm", ports[0])}}, {{Gateway("busy", ports[1])}} ] }""");
        var idle = new List<(Line Near, Line Far)>();
        for (int i = 0; i < Idle; i++) idle.Add((await DataEnds.DialAsync(ports[0]), new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience))));
        using Line sender = await DataEnds.DialAsync(ports[1]);
        using var receiver = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        // Much more than all buffers on the way hold, to one who does not read: the gateway has what it has not read itself.
        Task sending = sender.Socket.SendAsync(new byte[64 << 20]);
        await RecordedAsync(work, "{\"name\":\"calm\",\"flows\":3}", "{\"name\":\"busy\",\"flows\":1}");

        await killed.SignalAsync("KILL");
        Exception? broken = await Record.ExceptionAsync(() => sending.WaitAsync(UpProcess.Patience));
        Assert.Contains((broken as SocketException)?.SocketErrorCode, (SocketError?[])[SocketError.ConnectionReset, SocketError.Shutdown]);
        foreach ((Line near, Line far) in idle)
        {
            Assert.Equal((SocketError.Success, SocketError.Success), (await near.EndAsync(), await far.EndAsync()));
            near.Dispose();
            far.Dispose();
        }

        Assert.Equal(SocketError.Success, await receiver.EndAsync()); // in the midst, as if it had been all

        await using UpProcess next = await killed.AgainAsync();
        await next.WaitForAsync("lost", 1, $"pid {killed.Id} was killed");
        await next.WaitForAsync("lost", 1, "with 4 flow(s) open (calm 3, busy 1)");
        Assert.Equal(0, await next.StopAsync());
        await using UpProcess last = await killed.AgainAsync();
        await last.WaitForAsync("configured", 1);
        Assert.Equal(0, await last.StopAsync());
        Assert.Equal((1, 0), (next.Count("lost"), last.Count("lost")));
        Assert.Empty(Directory.GetFileSystemEntries(work.Folder("run")));
    }

    private static async Task RecordedAsync(WorkFolder work, params string[] parts)
    {
        string text = "";
        for (DateTime patience = DateTime.UtcNow + UpProcess.Patience; !parts.All(part => text.Contains(part, StringComparison.Ordinal)); await Task.Delay(50))
        {
            Assert.True(DateTime.UtcNow < patience, $"what it wrote of itself: {text}");
            text = string.Concat(Directory.GetFiles(work.Folder("run"), "*.json").Select(File.ReadAllText));
        }
    }
}
