using System.Net;
using System.Net.Sockets;
using KeepAlive.App.Up;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary><c>keepalive up</c> without rights: what is possible, and what is said not to be.</summary>
public sealed class OrdinaryUserTests
{
    [Fact]
    public async Task What_is_not_possible_is_said_once_and_the_rest_works()
    {
        using var work = new WorkFolder();
        string program = OrdinaryUser.Program(work);
        using Socket server = DataEnds.Listen(IPAddress.Loopback);
        await using UpProcess up = await UpProcess.StartAsync(
            work, $$"""{ "gateways": [ { "name": "one", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{DataEnds.PortOf(server)}}", "protocol": "tcp", "noCheck": true } ] }""", prefix: [.. OrdinaryUser.Prefix, program]);
        string limits = (await up.WaitForAsync("limited", 1)).GetProperty("text").GetString()!;
        Assert.StartsWith($"as user {OrdinaryUser.Id}: ", limits, StringComparison.Ordinal);
        foreach (string part in (string[])["CAP_NET_BIND_SERVICE", "this user's own connections alone", "CAP_SYS_ADMIN", "flows (ulimit -n)"]) Assert.Contains(part, limits, StringComparison.Ordinal);
        using Line near = await DataEnds.DialAsync(await up.PortOfAsync("one"));
        using var far = new Line(await server.AcceptAsync().WaitAsync(UpProcess.Patience));
        await DataEnds.TalkAsync(near, far);
        Assert.Equal(0, await up.StopAsync());
        Assert.Equal(1, up.Count("limited"));
    }

    [Theory]
    [InlineData(ulong.MaxValue, 1024, null)]
    [InlineData((1UL << 2) | (1 << 10) | (1 << 12) | (1 << 19) | (1UL << 38) | (1UL << 39), 1024, "as user 1000: other network namespaces are not seen (CAP_SYS_ADMIN); 20000 descriptors are enough for about 10000 flows (ulimit -n)")]
    [InlineData(~(1UL << 10), 0, null)]
    [InlineData(~(1UL << 10), 80, "as user 1000: ports below 80 cannot be listened on (CAP_NET_BIND_SERVICE); 20000 descriptors are enough for about 10000 flows (ulimit -n)")]
    [InlineData(~(1UL << 19), 1024, null)] // there is a second way
    public void Only_what_is_missing_is_said(ulong capabilities, int firstFreePort, string? said) => Assert.Equal(said, new ProcessRights(1000, capabilities, firstFreePort, 20000).Missing());
}
