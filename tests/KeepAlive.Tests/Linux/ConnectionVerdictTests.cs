using System.Net;
using KeepAlive.Linux.Connections;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Tests.Linux;

public sealed class ConnectionVerdictTests
{
    private static readonly SocketRow Idle = new() { State = TcpState.Established, Local = new IPEndPoint(IPAddress.Loopback, 1), Remote = new IPEndPoint(IPAddress.Loopback, 2), HasInfo = true };
    private static readonly SocketOptions Off = new(0, 7200, 75, 9, 0);
    private static readonly SocketOptions Good = new(1, 60, 15, 4, 120_000);

    [Fact]
    public void Says_what_it_amounts_to()
    {
        Assert.Equal("dies unnoticed: keepalive off", Text(Idle, Off));
        Assert.Equal("ok: dead after 2m0s", Text(Idle, Good));
        Assert.Equal("ok: dead after 2m0s, 15m with data under way", Text(Idle, Good with { UserTimeout = 0 }));
        Assert.Equal("too slow for a 350s middlebox: first probe at 7200s", Text(Idle, Off with { KeepAlive = 1 }));
        Assert.Equal("unknown: the real values could not be read", Text(Idle, null));
        Assert.Equal("probing: 2 of 4 probes unanswered", Text(Idle with { Timer = TcpTimer.KeepAlive, Unanswered = 2 }, Good));
        Assert.Equal("armed late: first probe in 1h59m0s although idle is 60s; apply re-arms it", Text(Idle with { Timer = TcpTimer.KeepAlive, TimerLeft = TimeSpan.FromMinutes(119) }, Good));
        SocketRow stuck = Idle with { Unacknowledged = 3, SinceAck = TimeSpan.FromSeconds(40) };
        Assert.Equal("stuck: unacknowledged data for 40s, keepalive cannot help, user timeout can", Text(stuck, Good with { UserTimeout = 0 }));
        Assert.Equal("stuck: unacknowledged data for 40s, given up after 2m0s", Text(stuck, Good));
        Assert.Equal("accepted connections inherit 60:4:15", Text(Idle with { State = TcpState.Listening }, Good));
    }

    [Fact]
    public void Judges_by_what_was_measured_of_the_path()
    {
        var path = new MeasuredPath(TimeSpan.FromSeconds(62), Ends: true, CountsKeepAlive: true, new DateOnly(2026, 11, 20));
        Assert.Equal("ok: dead after 2m0s", text(path, Good));
        Assert.Equal("too slow for this path: it forgets after 1m2s (measured 2026-11-20), first probe at 90s", text(path, Good with { Idle = 90 }));
        Assert.Equal("keepalive is ignored on this path: it ends flows without data after 1m2s (measured 2026-11-20)", text(path with { CountsKeepAlive = false }, Good));
        MeasuredPath patient = path with { Survived = TimeSpan.FromMinutes(10), Ends = false };
        Assert.Equal("ok: dead after 8m0s", text(patient, Good with { Idle = 420 }));
        Assert.Equal("too slow for a 350s middlebox: first probe at 700s", text(patient, Good with { Idle = 700 }));

        static string text(MeasuredPath path, SocketOptions options) => ConnectionVerdict.Of(Idle, options, path).Text;
    }

    private static string Text(SocketRow socket, SocketOptions? options) => ConnectionVerdict.Of(socket, options).Text;
}
