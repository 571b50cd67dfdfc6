using KeepAlive.Linux.Settings;

namespace KeepAlive.Tests.Linux;

public sealed class SocketSettingsTests
{
    [Theory]
    // TCP_USER_TIMEOUT 18, SO_KEEPALIVE 9 of level 1, TCP_KEEPINTVL 5, TCP_KEEPCNT 6, TCP_KEEPIDLE 4 last: it arms the timer.
    [InlineData("60:4:15", "6:18:120000,1:9:1,6:5:15,6:6:4,6:4:60")]
    [InlineData("on", "1:9:0,1:9:1")] // off and on arms the timer anew
    [InlineData("off", "1:9:0")]
    public void The_calls_in_their_order(string spec, string calls)
    {
        var settings = SocketSettings.Of(KeepAliveSpec.Parse(spec), UserTimeout.Derived);
        Assert.Equal(calls.Split(',').Order(), settings.ToWord().Split(',').Order());
        Assert.Equal(calls.Split(',')[^1], settings.ToWord().Split(',')[^1]);
        Assert.True(spec != "60:4:15" || settings.ToWord().IndexOf("1:9:1", StringComparison.Ordinal) < settings.ToWord().IndexOf("6:4:60", StringComparison.Ordinal));
        Assert.Equal(settings.ToWord(), SocketSettings.FromWord(settings.ToWord()).ToWord());
    }

    [Fact]
    public void The_user_timeout_is_the_detection_time_unless_another_is_asked_for()
    {
        Assert.Contains("6:18:5000", Word("2:3:1", UserTimeout.Derived), StringComparison.Ordinal);
        Assert.Contains("6:18:0", Word("2:3:1", UserTimeout.Off), StringComparison.Ordinal);
        Assert.Contains("6:18:30000", Word("2:3:1", UserTimeout.Of(TimeSpan.FromSeconds(30))), StringComparison.Ordinal);
        Assert.DoesNotContain("6:18:", Word("on", UserTimeout.Derived), StringComparison.Ordinal);
    }

    [Fact]
    public void What_Linux_cannot_do_exactly_is_said() => Assert.Contains("idle: asked 500ms, effective 1s",
        string.Join('\n', SocketSettings.Of(KeepAliveSpec.Parse("500ms:4:15"), UserTimeout.Derived).Shortfalls), StringComparison.Ordinal);

    [Fact]
    public void A_socket_has_it_when_every_option_has_its_last_value()
    {
        var settings = SocketSettings.Of(KeepAliveSpec.Parse("60:4:15"), UserTimeout.Derived);
        var socket = new SocketOptions(KeepAlive: 1, Idle: 60, Interval: 15, Count: 4, UserTimeout: 120_000);
        Assert.True(settings.AreIn(socket));
        foreach (SocketOptions other in (SocketOptions[])[socket with { KeepAlive = 0 }, socket with { Idle = 61 }, socket with { Interval = 4, Count = 15 }, socket with { UserTimeout = 0 }, socket with { Count = -1 }])
            Assert.False(settings.AreIn(other));
        Assert.True(SocketSettings.Of(KeepAliveSpec.On, UserTimeout.Derived).AreIn(socket));
    }

    private static string Word(string spec, UserTimeout timeout) => SocketSettings.Of(KeepAliveSpec.Parse(spec), timeout).ToWord();
}
