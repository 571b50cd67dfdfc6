using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

public sealed class MachineKeysTests
{
    private static readonly KeepAlivePolicy Minute = KeepAliveSpec.Parse("60:4:15").Policy!;

    [Fact]
    public void Each_system_counts_in_its_own_unit()
    {
        Assert.Equal("net.ipv4.tcp_keepalive_time 60, net.ipv4.tcp_keepalive_probes 4, net.ipv4.tcp_keepalive_intvl 15", Spelled(MachineKeys.Linux, Minute));
        Assert.Equal("net.inet.tcp.keepidle 60000, net.inet.tcp.keepcnt 4, net.inet.tcp.keepintvl 15000", Spelled(MachineKeys.MacOS, Minute));
        Assert.Equal("KeepAliveTime 60000, KeepAliveInterval 15000", Spelled(MachineKeys.Windows, KeepAliveSpec.Parse("60:10:15").Policy!));
        Assert.Equal("net.inet.tcp.keepidle 1500, net.inet.tcp.keepcnt 4, net.inet.tcp.keepintvl 250", Spelled(MachineKeys.MacOS, KeepAliveSpec.Parse("1500ms:4:250ms").Policy!));
    }

    [Fact]
    public void What_a_system_cannot_take_is_named_whole()
    {
        Assert.Equal("idle 500ms is not a whole number of seconds, and Linux counts in those: use one; count 128 is above 127, the most Linux takes: use at most that; "
            + "interval 9h6m8s is above 9h6m7s, the most Linux takes: use at most that", Faults(MachineKeys.Linux, KeepAliveSpec.Parse("500ms:128:32768").Policy!));
        Assert.Equal("count 4: Windows sends 10 probes and has no setting for it: write 10", Faults(MachineKeys.Windows, Minute));
        Assert.Null(Faults(MachineKeys.Linux, KeepAliveSpec.Parse("32767:127:32767").Policy!));
    }

    [Fact]
    public void What_was_set_is_read_back_as_the_policy_it_was()
    {
        foreach ((MachineKeys keys, string spec) in ((MachineKeys, string)[])[(MachineKeys.Linux, "60:4:15"), (MachineKeys.MacOS, "1500ms:4:250ms"), (MachineKeys.Windows, "60:10:15")])
        {
            KeepAlivePolicy policy = KeepAliveSpec.Parse(spec).Policy!;
            Assert.True(keys.TrySettings(policy, out IReadOnlyList<MachineSetting> settings, out _));
            MachineDefaults defaults = keys.Defaults(settings)!;
            Assert.Equal((policy.Idle, policy.Count, policy.Interval, policy.DetectionTime), (defaults.Idle, defaults.Count, defaults.Interval, defaults.DetectionTime));
        }
    }

    [Fact]
    public void Defaults_where_nothing_is_set()
    {
        Assert.Equal("7200:10:1: idle 2h0m0s, 10 probes 1s apart: dead after 2h0m10s", Said(MachineKeys.Windows, []));
        Assert.Null(MachineKeys.Linux.Defaults([new(MachineKeys.Linux.Idle, 60)]));
        Assert.Equal("7200:9:75: idle 2h0m0s, 9 probes 1m15s apart: dead after 2h11m15s", Said(MachineKeys.Linux, [new(MachineKeys.Linux.Idle, 7200), new(MachineKeys.Linux.Count!, 9), new(MachineKeys.Linux.Interval, 75)]));
    }

    // ip-sysctl: "The default value of 15 yields a hypothetical timeout of 924.6 seconds".
    [Theory]
    [InlineData(15, 924.6)]
    [InlineData(8, 102.2)]
    [InlineData(0, 0.2)]
    public void Retransmissions_take_what_the_kernels_documentation_says(int retries, double seconds) =>
        Assert.Equal(seconds, new MachineDefaults(default, 1, default) { Retries = retries }.RetransmissionTime!.Value.TotalSeconds, 3);

    [Fact]
    public void Numbers_no_kernel_should_have_do_no_harm()
    {
        MachineDefaults defaults = MachineKeys.Linux.Defaults([new(MachineKeys.Linux.Idle, long.MaxValue), new(MachineKeys.Linux.Count!, long.MaxValue), new(MachineKeys.Linux.Interval, long.MinValue), new("net.ipv4.tcp_retries2", int.MaxValue)])!;
        Assert.Equal(TimeSpan.MaxValue, defaults.Idle);
        Assert.NotEmpty(defaults.Describe());
        Assert.Equal(TimeSpan.MaxValue, MachineDefaults.Saturated(Int128.MaxValue));
        Assert.True(defaults.RetransmissionTime > TimeSpan.FromDays(1));
    }

    private static string Spelled(MachineKeys keys, KeepAlivePolicy policy)
    {
        Assert.True(keys.TrySettings(policy, out IReadOnlyList<MachineSetting> settings, out _));
        return string.Join(", ", settings.Select(s => $"{s.Key} {s.Value}"));
    }

    private static string? Faults(MachineKeys keys, KeepAlivePolicy policy)
    {
        keys.TrySettings(policy, out _, out string? faults);
        return faults;
    }

    private static string Said(MachineKeys keys, IEnumerable<MachineSetting> settings) => keys.Defaults(settings) is var defaults ? $"{defaults}: {defaults!.Describe()}" : "";
}
