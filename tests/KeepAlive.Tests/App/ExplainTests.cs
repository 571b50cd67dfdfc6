using KeepAlive.App.Explain;
using KeepAlive.Core;

namespace KeepAlive.Tests.App;

public sealed class ExplainTests
{
    private static string As(string name, string spec) => string.Join('\n', Dialect.Find(name)!.Render(KeepAliveSpec.Parse(spec)));

    [Theory]
    [InlineData("proftpd", "7200:9:75", "SocketOptions keepalive 7200:9:75")]
    [InlineData("nginx", "60:4:15", "listen 443 so_keepalive=60s:15s:4;")]
    [InlineData("nginx", "off", "listen 443 so_keepalive=off;")]
    [InlineData("sysctl", "60:4:15", "net.ipv4.tcp_keepalive_time = 60\nnet.ipv4.tcp_keepalive_probes = 4\nnet.ipv4.tcp_keepalive_intvl = 15")]
    [InlineData("macos", "60:4:15", "net.inet.tcp.keepidle=60000\nnet.inet.tcp.keepcnt=4\nnet.inet.tcp.keepintvl=15000")]
    [InlineData("postgresql", "60:4:15", "tcp_keepalives_idle = 60\ntcp_keepalives_count = 4\ntcp_keepalives_interval = 15\ntcp_user_timeout = 120000")]
    [InlineData("systemd", "60:4:15", "KeepAlive=yes\nKeepAliveTimeSec=60\nKeepAliveProbes=4\nKeepAliveIntervalSec=15")]
    [InlineData("envoy", "60:4:15", "tcp_keepalive:\n  keepalive_time: 60\n  keepalive_probes: 4\n  keepalive_interval: 15")]
    [InlineData("redis", "60:4:15", "tcp-keepalive 60\n# Redis derives the rest: count 3, interval 20s, not 4 and 15s")]
    [InlineData("openssh", "60:4:15", "ClientAliveInterval 60\nClientAliveCountMax 1\n# one interval for idle and between messages: dead after 2m0s")]
    [InlineData("openssh", "7200:9:75", "ClientAliveInterval 7200\nClientAliveCountMax 1\n# one interval for idle and between messages: dead after 4h0m0s, not 2h11m15s")]
    [InlineData("proftpd", "500ms:3:1500ms", "# rounded to whole seconds: idle 500ms to 1s, interval 1.5s to 2s\nSocketOptions keepalive 1:3:2")]
    public void Others_spell_it(string name, string spec, string lines) => Assert.Equal(lines, As(name, spec));

    [Fact]
    public void Every_dialect_spells_on_off_and_a_policy()
    {
        Assert.All(Dialect.All, dialect =>
        {
            foreach (string spec in (string[])["on", "off", "60:4:15", "1ms:1:1ms"])
                Assert.All(dialect.Render(KeepAliveSpec.Parse(spec)), line => Assert.False(line.StartsWith('!') || line.Length == 0, $"{dialect.Name} {spec}: '{line}'"));
        });
        Assert.Equal(Dialect.All.Count, Dialect.All.Select(d => d.Name).Distinct().Count());
    }

    [Fact]
    public void An_idle_day_costs_a_probe_and_its_answer_each_idle_time()
    {
        var policy = new KeepAlivePolicy(TimeSpan.FromSeconds(60), 4, TimeSpan.FromSeconds(15));
        Assert.Equal(1440, Cost.ProbesPerDay(policy));
        Assert.Equal(1440 * 2 * 52, Cost.BytesPerDay(policy, Cost.SegmentBytesIPv4));
        // Linux never probes more often than the interval.
        Assert.Equal(1152, Cost.ProbesPerDay(new KeepAlivePolicy(TimeSpan.FromSeconds(5), 4, TimeSpan.FromSeconds(75))));
    }
}
