using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Sockets;

public sealed class DialerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gives_a_connected_socket_without_delay_and_without_keepalive()
    {
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        using Socket socket = await new Dialer().DialAsync(Target("127.0.0.1", listener), Cancellation);
        Assert.True(socket.Connected);
        Assert.True(socket.NoDelay);
        Assert.False(KernelKeepAlive.Read(socket).IsOn);
        Assert.Empty(KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse("60:4:15")).Shortfalls);
    }

    [Fact]
    public async Task A_refused_port_names_the_target_the_address_and_the_error()
    {
        using Socket holder = Loopback.Refusing(IPAddress.Loopback, out int port);
        DialException e = await Assert.ThrowsAsync<DialException>(() => new Dialer().DialAsync(new HostPort("127.0.0.1", port), Cancellation));
        Assert.Equal($"cannot connect to 127.0.0.1:{port}: 127.0.0.1: Connection refused", e.Message);
        Assert.Equal(SocketError.ConnectionRefused, Assert.Single(e.Attempts).Error);
        Assert.Equal(port, e.Target.Port);
    }

    [Fact]
    public async Task A_name_falls_back_from_the_refusing_family_to_the_listening_one()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "no IPv6 on this machine");
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        var dialer = new Dialer(TimeSpan.FromSeconds(10), (_, _) => Task.FromResult<IPAddress[]>([IPAddress.IPv6Loopback, IPAddress.Loopback]));
        using Socket socket = await dialer.DialAsync(Target("both.example", listener), Cancellation);
        Assert.Equal(listener.LocalEndPoint, socket.RemoteEndPoint);
    }

    [Fact]
    public async Task Localhost_works_whichever_family_listens()
    {
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        using Socket socket = await new Dialer().DialAsync(Target("localhost", listener), Cancellation);
        Assert.Equal(listener.LocalEndPoint, socket.RemoteEndPoint);
    }

    [Fact]
    public async Task Every_address_tried_is_named()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "no IPv6 on this machine");
        using Socket holder = Loopback.Refusing(IPAddress.Loopback, out int port);
        var dialer = new Dialer(TimeSpan.FromSeconds(10), (_, _) => Task.FromResult<IPAddress[]>([IPAddress.IPv6Loopback, IPAddress.Loopback]));
        DialException e = await Assert.ThrowsAsync<DialException>(() => dialer.DialAsync(new HostPort("both.example", port), Cancellation));
        Assert.Equal($"cannot connect to both.example:{port}: ::1: Connection refused; 127.0.0.1: Connection refused", e.Message);
    }

    [Fact]
    public async Task Silence_ends_with_the_timeout_and_says_who_did_not_answer()
    {
        using DeafListener deaf = await DeafListener.OpenAsync();
        var dialer = new Dialer(TimeSpan.FromMilliseconds(400));
        long start = Stopwatch.GetTimestamp();
        DialException e = await Assert.ThrowsAsync<DialException>(() => dialer.DialAsync(new HostPort("127.0.0.1", deaf.Port), Cancellation));
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromMilliseconds(350), TimeSpan.FromSeconds(10));
        Assert.EndsWith(" within 400ms: 127.0.0.1: no answer", e.Message, StringComparison.Ordinal);
        Assert.Equal(SocketError.TimedOut, Assert.Single(e.Attempts).Error);
    }

    [Fact]
    public async Task An_address_that_does_not_answer_costs_a_quarter_of_a_second()
    {
        using DeafListener deaf = await DeafListener.OpenAsync();
        IPAddress other = IPAddress.Parse("127.0.0.2");
        using Socket listener = Loopback.Listen(other, deaf.Port);
        var dialer = new Dialer(TimeSpan.FromSeconds(30), (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback, other]));
        long start = Stopwatch.GetTimestamp();
        using Socket socket = await dialer.DialAsync(new HostPort("slow.example", deaf.Port), Cancellation);
        Assert.Equal(listener.LocalEndPoint, socket.RemoteEndPoint);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromMilliseconds(240), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_or_takes_too_long_says_so()
    {
        var unknown = new Dialer(TimeSpan.FromSeconds(5), (_, _) => Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound)));
        DialException e = await Assert.ThrowsAsync<DialException>(() => unknown.DialAsync(new HostPort("no.example", 21), Cancellation));
        Assert.StartsWith("cannot connect to no.example:21: cannot resolve 'no.example': ", e.Message, StringComparison.Ordinal);
        Assert.Empty(e.Attempts);

        var empty = new Dialer(TimeSpan.FromSeconds(5), (_, _) => Task.FromResult<IPAddress[]>([]));
        e = await Assert.ThrowsAsync<DialException>(() => empty.DialAsync(new HostPort("no.example", 21), Cancellation));
        Assert.EndsWith("the name has no address", e.Message, StringComparison.Ordinal);

        var slow = new Dialer(TimeSpan.FromMilliseconds(50), (_, _) => new TaskCompletionSource<IPAddress[]>().Task);
        e = await Assert.ThrowsAsync<DialException>(() => slow.DialAsync(new HostPort("no.example", 21), Cancellation));
        Assert.Equal("cannot connect to no.example:21 within 50ms: the name was not resolved in time", e.Message);
    }

    [Fact]
    public async Task A_caller_that_cancels_gets_its_own_cancellation_back()
    {
        using DeafListener deaf = await DeafListener.OpenAsync();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        OperationCanceledException e = await Assert.ThrowsAsync<OperationCanceledException>(
            () => new Dialer().DialAsync(new HostPort("127.0.0.1", deaf.Port), stop.Token));
        Assert.Equal(stop.Token, e.CancellationToken);
    }

    [Fact]
    public void The_timeout_has_limits()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Dialer(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Dialer(Dialer.TimeoutMax + TimeSpan.FromTicks(1)));
        Assert.Equal(Dialer.DefaultTimeout, new Dialer().ConnectTimeout);
    }

    private static HostPort Target(string host, Socket listener) => new(host, ((IPEndPoint)listener.LocalEndPoint!).Port);
}
