using FsCheck.Fluent;
using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

/// <summary>Which calls a SPEC becomes on each platform, in which order, with which numbers.</summary>
public sealed class KeepAlivePlanTests
{
    private static readonly KeepAliveSpec Policy = KeepAliveSpec.Parse("60:4:15");

    [Theory]
    [InlineData(OsFamily.Linux, 0, 0, "6/4=60 6/5=15 6/6=4 on")]
    [InlineData(OsFamily.MacOS, 15, 0, "6/16=60 6/257=15 6/258=4 on")]
    [InlineData(OsFamily.Windows, 10, 16299, "6/3=60 6/17=15 6/16=4 on")]
    [InlineData(OsFamily.Windows, 10, 26100, "6/3=60 6/17=15 6/16=4 on")]
    [InlineData(OsFamily.Windows, 10, 16298, "on vals=60000,15000 6/16=4")]
    [InlineData(OsFamily.Windows, 10, 15063, "on vals=60000,15000 6/16=4")]
    [InlineData(OsFamily.Windows, 10, 15062, "on vals=60000,15000")]
    [InlineData(OsFamily.FreeBSD, 14, 0, "6/256=60 6/512=15 6/1024=4 on")]
    [InlineData(OsFamily.NetBSD, 10, 0, "6/3=60 6/5=15 6/6=4 on")]
    [InlineData(OsFamily.OpenBSD, 7, 0, "on")]
    [InlineData(OsFamily.Haiku, 1, 0, "on")]
    [InlineData(OsFamily.Illumos, 5, 0, "6/34=60 6/36=15 6/35=4 on")]
    [InlineData(OsFamily.Solaris, 11, 4, "6/29=60 6/30=15 6/31=4 on", 4)]
    [InlineData(OsFamily.Solaris, 11, 3, "6/22=60000 6/23=60000 on", 3)]
    [InlineData(OsFamily.Other, 1, 0, "on")]
    internal void A_policy_becomes_these_calls(OsFamily family, int major, int build, string calls, int minor = 0) =>
        Assert.Equal(calls, Calls(KeepAlivePlan.For(Options(family, major, minor, build), Policy, isListener: false)));

    public static TheoryData<int> EveryFamily() => [.. Enum.GetValues<OsFamily>().Select(family => (int)family)];

    [Theory, MemberData(nameof(EveryFamily))]
    public void Off_and_on_touch_the_switch_alone(int family)
    {
        KernelOptionSet options = Options((OsFamily)family, 10, 0, 16299);
        Assert.Equal("off", Calls(KeepAlivePlan.For(options, KeepAliveSpec.Off, isListener: false)));
        Assert.Equal("on", Calls(KeepAlivePlan.For(options, KeepAliveSpec.On, isListener: false)));
        Assert.Empty(KeepAlivePlan.For(options, KeepAliveSpec.Off, isListener: true).Shortfalls);
        Assert.Empty(KeepAlivePlan.For(options, KeepAliveSpec.On, isListener: false).Shortfalls);
    }

    [Theory, MemberData(nameof(EveryFamily))]
    public void Every_option_is_a_call_or_a_shortfall(int family)
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Options((OsFamily)family, 10, 0, 16299), Policy, isListener: false);
        IEnumerable<KernelKeepAliveOption> set = plan.Steps.OfType<OptionStep>().Select(step => step.Option.Which);
        IEnumerable<KernelKeepAliveOption> covered = set.Concat(plan.Shortfalls.Select(shortfall => shortfall.Option));
        Assert.Superset(
            new HashSet<KernelKeepAliveOption> { KernelKeepAliveOption.Idle, KernelKeepAliveOption.Interval, KernelKeepAliveOption.Count },
            covered.ToHashSet());
    }

    [Theory]
    [InlineData(OsFamily.MacOS, false)]
    [InlineData(OsFamily.FreeBSD, false)]
    [InlineData(OsFamily.NetBSD, false)]
    [InlineData(OsFamily.OpenBSD, false)]
    [InlineData(OsFamily.Linux, true)]
    [InlineData(OsFamily.Windows, true)]
    internal void A_listener_gets_keepalive_only_where_it_survives_it(OsFamily family, bool set)
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Options(family, 10, 0, 16299), Policy, isListener: true);
        Assert.Equal(set, plan.Steps.Count > 0);
        if (!set) Assert.Contains("accepted socket", Assert.Single(plan.Shortfalls).Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1:1:1", "6/4=1 6/5=1 6/6=1 on", "")]
    [InlineData("32767:127:32767", "6/4=32767 6/5=32767 6/6=127 on", "")]
    [InlineData("500ms:3:1s", "6/4=1 6/5=1 6/6=3 on", "idle: asked 500ms, effective 1s: TCP_KEEPIDLE takes at least 1s")]
    [InlineData("1999ms:3:1001ms", "6/4=1 6/5=2 6/6=3 on",
        "idle: asked 1.999s, effective 1s: TCP_KEEPIDLE counts whole seconds; rounded down so that the refresh never comes later than asked"
        + " | interval: asked 1.001s, effective 2s: TCP_KEEPINTVL counts whole seconds; rounded up so that it never waits less than asked")]
    [InlineData("32768:128:32768", "6/4=32767 6/5=32767 6/6=127 on",
        "idle: asked 9h6m8s, effective 9h6m7s: TCP_KEEPIDLE takes at most 9h6m7s"
        + " | interval: asked 9h6m8s, effective 9h6m7s: TCP_KEEPINTVL takes at most 9h6m7s"
        + " | count: asked 128, effective 127: TCP_KEEPCNT takes at most 127")]
    [InlineData("365d:255:365d", "6/4=32767 6/5=32767 6/6=127 on", null)]
    public void Linux_rounds_and_clamps_and_says_so(string spec, string calls, string? shortfalls)
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Options(OsFamily.Linux, 6, 0, 0), KeepAliveSpec.Parse(spec), isListener: false);
        Assert.Equal(calls, Calls(plan));
        if (shortfalls is not null) Assert.Equal(shortfalls, string.Join(" | ", plan.Shortfalls));
        else Assert.Equal(3, plan.Shortfalls.Count);
    }

    [Fact]
    public void Old_Windows_keeps_milliseconds_and_names_its_fixed_count()
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Options(OsFamily.Windows, 6, 1, 7601), KeepAliveSpec.Parse("1500ms:3:250ms"), isListener: false);
        Assert.Equal("on vals=1500,250", Calls(plan));
        Assert.Equal("count: asked 3, effective 10: Windows before 10 version 1703 always sends 10 probes", Assert.Single(plan.Shortfalls).ToString());
        Assert.Empty(KeepAlivePlan.For(Options(OsFamily.Windows, 6, 1, 7601), KeepAliveSpec.Parse("60:10:15"), isListener: false).Shortfalls);
    }

    [Fact]
    public void Old_Windows_clamps_to_32_bits_of_milliseconds()
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Options(OsFamily.Windows, 10, 0, 15063), KeepAliveSpec.Parse("365d:3:365d"), isListener: false);
        Assert.Equal("on vals=4294967295,4294967295 6/16=3", Calls(plan));
        Assert.Equal(2, plan.Shortfalls.Count);
    }

    [Fact]
    public void Illumos_starts_at_ten_seconds()
    {
        KeepAlivePlan plan = KeepAlivePlan.For(Options(OsFamily.Illumos, 5, 0, 0), KeepAliveSpec.Parse("5:3:5"), isListener: false);
        Assert.Equal("6/34=10 6/36=10 6/35=3 on", Calls(plan));
        Assert.Equal("idle: asked 5s, effective 10s: TCP_KEEPIDLE takes at least 10s", plan.Shortfalls[0].ToString());
    }

    [Fact]
    public void Any_policy_is_covered_to_within_its_limits_on_Linux()
    {
        FsCheck.Check.QuickThrowOnFailure(Prop.ForAll<int, int, int>((a, b, c) =>
        {
            var policy = new KeepAlivePolicy(TimeSpan.FromMilliseconds((Math.Abs((long)a) * 997) + 1), (Math.Abs(b % 255)) + 1,
                TimeSpan.FromMilliseconds((Math.Abs((long)c) * 997) + 1));
            KeepAlivePlan plan = KeepAlivePlan.For(Options(OsFamily.Linux, 6, 0, 0), KeepAliveSpec.Of(policy), isListener: false);
            int[] values = [.. plan.Steps.OfType<OptionStep>().Select(step => step.Value)];
            Assert.InRange(values[0], 1, 32767);
            Assert.InRange(values[1], 1, 32767);
            Assert.InRange(values[2], 1, 127);
            Assert.True(values[0] == 1 || TimeSpan.FromSeconds(values[0]) <= policy.Idle);
            Assert.True(values[1] == 32767 || TimeSpan.FromSeconds(values[1]) >= policy.Interval);
            bool exact = values[0] == policy.Idle.TotalSeconds && values[1] == policy.Interval.TotalSeconds && values[2] == policy.Count;
            Assert.Equal(exact, plan.Shortfalls.Count == 0);
        }));
    }

    [Theory]
    [InlineData("SunOS 5.11 11.4.42.111.0", 11, 4)]
    [InlineData("SunOS 5.11 11.3", 11, 3)]
    [InlineData("SunOS 5.11", 0, 0)]
    [InlineData("SunOS 5.11 joyent_20240101", 0, 0)]
    public void Solaris_tells_its_update_in_the_last_word(string description, int major, int minor) =>
        Assert.Equal(new Version(major, minor), Platform.SolarisVersion(description));

    private static KernelOptionSet Options(OsFamily family, int major, int minor, int build) =>
        KernelOptionSet.For(new Platform(family, new Version(major, minor, build)));

    private static string Calls(KeepAlivePlan plan) => string.Join(' ', plan.Steps.Select(step => step switch
    {
        SwitchStep change => change.On ? "on" : "off",
        OptionStep option => $"{KernelOption.Level}/{option.Option.Number}={option.Value}",
        KeepAliveValsStep vals => $"vals={vals.IdleMs},{vals.IntervalMs}",
        _ => throw new InvalidOperationException(),
    }));
}
