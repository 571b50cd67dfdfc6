using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>What a newcomer sees, who has no configuration.</summary>
public sealed class FirstLookTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task What_is_wrong_is_told_within_ten_seconds_and_the_next_step()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        using Socket listener = await lab.Server.InsideAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(lab.Server.Address, 0));
            socket.Listen();
            return socket;
        });
        using Socket client = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync((IPEndPoint)listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        using Socket accepted = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        // In the client's network, by a user who sees it alone: other tests' connections are none of ours.
        await using ChildProcess up = await lab.Client.StartAsync([.. OrdinaryUser.Prefix, OrdinaryUser.Program(work), "up"], environment: new Dictionary<string, string> { ["HOME"] = work.Path });
        string summary = await up.WaitForLineAsync(line => line.Contains(" summary: ", StringComparison.Ordinal), Soon);
        Assert.Matches(@"1 connection\(s\) to other machines.*: 1 of other users, whose keepalive root can read", summary);
        await up.WaitForLineAsync(line => line.Contains(" next: ", StringComparison.Ordinal), Soon);
        await up.SignalAsync("TERM");
        await up.WaitForExitAsync(Soon);

        await using ChildProcess roots = await lab.Client.StartAsync([UpProcess.Program, "up"]);
        Match counted = Regex.Match(await roots.WaitForLineAsync(line => line.Contains(" summary: ", StringComparison.Ordinal), Soon), @"(\d+) would not notice a dead peer");
        Assert.True(counted.Success && int.Parse(counted.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) >= 1, roots.Transcript);
        Assert.Matches("'keepalive apply 60:4:15 --pid [0-9]+' gives .+ keepalive as it runs", await roots.WaitForLineAsync(line => line.Contains(" next: ", StringComparison.Ordinal), Soon));
        await roots.SignalAsync("TERM");
        await roots.WaitForExitAsync(Soon);
    }
}
