using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Sockets;

/// <summary>Sets keepalive on real sockets of this kernel and reads it back.</summary>
public sealed class KernelKeepAliveTests
{
    public KernelKeepAliveTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "the expected values are Linux's");

    [Theory]
    [InlineData("60:4:15", 60, 4, 15, 120_000)]
    [InlineData("1:1:1", 1, 1, 1, 2_000)]
    [InlineData("2:3:1", 2, 3, 1, 5_000)]
    [InlineData("300:9:60", 300, 9, 60, 840_000)]
    [InlineData("7200:9:75", 7200, 9, 75, 0)]
    [InlineData("32767:127:32767", 32767, 127, 32767, 0)]
    public async Task A_policy_within_the_limits_is_in_force_as_asked(string spec, int idle, int count, int interval, int userTimeoutMs)
    {
        using Loopback pair = await Loopback.ConnectAsync();
        foreach (Socket socket in new[] { pair.Client, pair.Server })
        {
            KernelKeepAliveReport report = KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse(spec));
            Assert.Empty(report.Shortfalls);
            KernelKeepAliveValues expected = Values(idle, count, interval, userTimeoutMs);
            Assert.Equal(expected, report.Effective);
            Assert.Equal(expected, KernelKeepAlive.Read(socket));
            // A second opinion, through the runtime's own names.
            Assert.Equal(idle, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
            Assert.Equal(count, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount));
            Assert.Equal(interval, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval));
        }
    }

    [Theory]
    [InlineData("500ms:3:1s", 1, 3, 1, 4_000, 1)]
    [InlineData("1999ms:3:1001ms", 1, 3, 2, 7_000, 2)]
    [InlineData("32768:128:32768", 32767, 127, 32767, 0, 3)]
    [InlineData("60:255:1ms", 60, 127, 1, 187_000, 2)]
    public async Task Beyond_the_limits_what_is_in_force_is_what_the_report_says(
        string spec, int idle, int count, int interval, int userTimeoutMs, int shortfalls)
    {
        using Loopback pair = await Loopback.ConnectAsync();
        KernelKeepAliveReport report = KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Parse(spec));
        Assert.Equal(Values(idle, count, interval, userTimeoutMs), report.Effective);
        Assert.Equal(shortfalls, report.Shortfalls.Count);
        Assert.False(report.IsAsAsked);
        foreach (Shortfall shortfall in report.Shortfalls) Assert.Equal(Effective(report.Effective, shortfall.Option), shortfall.Effective);
    }

    [Fact]
    public async Task On_leaves_the_machines_values_alone()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        KernelKeepAliveValues before = KernelKeepAlive.Read(pair.Client);
        Assert.False(before.IsOn);
        Assert.Equal(Sysctl("tcp_keepalive_time"), before.Idle!.Value.TotalSeconds);
        Assert.Equal(Sysctl("tcp_keepalive_probes"), before.Count);
        Assert.Equal(Sysctl("tcp_keepalive_intvl"), before.Interval!.Value.TotalSeconds);

        KernelKeepAliveReport report = KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.On);
        Assert.Empty(report.Shortfalls);
        TimeSpan derived = before.DetectionTime <= UserTimeout.DerivedMax ? before.DetectionTime.Value : TimeSpan.Zero;
        Assert.Equal(before with { IsOn = true, UserTimeout = derived }, report.Effective);
    }

    [Fact]
    public async Task Off_turns_it_off_and_touches_nothing_else()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        KernelKeepAliveValues on = KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Parse("60:4:15")).Effective;
        KernelKeepAliveReport report = KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Off);
        Assert.Empty(report.Shortfalls);
        Assert.Equal(on with { IsOn = false }, report.Effective);
    }

    [Fact]
    public async Task A_long_policy_after_a_short_one_leaves_no_user_timeout_behind()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        Assert.Equal(TimeSpan.FromSeconds(5), KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Parse("2:3:1")).Effective.UserTimeout);
        Assert.Equal(TimeSpan.Zero, KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Parse("2h:9:75s")).Effective.UserTimeout);
    }

    [Fact]
    public async Task The_user_timeout_can_be_given_or_refused()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        var policy = KeepAliveSpec.Parse("60:4:15");
        KernelKeepAliveReport given = KernelKeepAlive.Apply(pair.Client, policy, UserTimeout.Of(TimeSpan.FromMilliseconds(30_500)));
        Assert.Equal(TimeSpan.FromMilliseconds(30_500), given.Effective.UserTimeout);
        Assert.Equal(KernelKeepAliveOption.Count, Assert.Single(given.Shortfalls).Option);
        Assert.Equal(TimeSpan.Zero, KernelKeepAlive.Apply(pair.Client, policy, UserTimeout.Off).Effective.UserTimeout);
        KernelKeepAliveReport longest = KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Off, UserTimeout.Of(UserTimeout.Max));
        Assert.Equal(TimeSpan.FromMilliseconds(int.MaxValue), longest.Effective.UserTimeout);
        Assert.Single(longest.Shortfalls);
    }

    [Fact]
    public async Task A_listener_hands_everything_to_what_it_accepts()
    {
        using Socket listener = Loopback.Listen(IPAddress.Loopback);
        Assert.Empty(KernelKeepAlive.Apply(listener, KeepAliveSpec.Parse("60:4:15")).Shortfalls);
        using Loopback pair = await Loopback.ConnectAsync(listener);
        Assert.Equal(Values(60, 4, 15, 120_000), KernelKeepAlive.Read(pair.Server));
        Assert.False(KernelKeepAlive.Read(pair.Client).IsOn);
    }

    [Fact]
    public void On_a_socket_that_is_not_TCP_every_failed_call_is_named()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        KernelKeepAliveReport report = KernelKeepAlive.Apply(socket, KeepAliveSpec.Parse("60:4:15"));
        Assert.Equal(4, report.Shortfalls.Count);
        Assert.All(report.Shortfalls, shortfall => Assert.Contains("(errno 95)", shortfall.Why, StringComparison.Ordinal));
        Assert.Contains("setsockopt(TCP_KEEPIDLE) failed", report.Shortfalls[0].Why, StringComparison.Ordinal);
        Assert.Null(report.Effective.Idle);
    }

    [Fact]
    public async Task A_reset_connection_throws_nothing_and_a_closed_socket_says_so()
    {
        using Loopback pair = await Loopback.ConnectAsync();
        pair.Server.Reset();
        KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.Parse("60:4:15"));
        pair.Client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => KernelKeepAlive.Apply(pair.Client, KeepAliveSpec.On));
        Assert.Throws<ObjectDisposedException>(() => KernelKeepAlive.Read(pair.Client));
        Assert.Throws<ObjectDisposedException>(() => PeerContact.Read(pair.Client));
    }

    private static KernelKeepAliveValues Values(int idle, int count, int interval, int userTimeoutMs) => new()
    {
        IsOn = true,
        Idle = TimeSpan.FromSeconds(idle),
        Count = count,
        Interval = TimeSpan.FromSeconds(interval),
        UserTimeout = TimeSpan.FromMilliseconds(userTimeoutMs),
    };

    private static string Effective(KernelKeepAliveValues values, KernelKeepAliveOption option) => option switch
    {
        KernelKeepAliveOption.Idle => Duration.Format(values.Idle!.Value),
        KernelKeepAliveOption.Interval => Duration.Format(values.Interval!.Value),
        KernelKeepAliveOption.Count => values.Count!.Value.ToString(CultureInfo.InvariantCulture),
        _ => throw new ArgumentOutOfRangeException(nameof(option)),
    };

    private static int Sysctl(string name) =>
        int.Parse(File.ReadAllText($"/proc/sys/net/ipv4/{name}"), CultureInfo.InvariantCulture);
}
