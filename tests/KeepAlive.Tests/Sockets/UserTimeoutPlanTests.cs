using KeepAlive.Sockets;

namespace KeepAlive.Tests.Sockets;

public sealed class UserTimeoutPlanTests
{
    private static readonly KernelKeepAliveValues Minutes = Values("60:4:15");

    [Theory]
    [InlineData(OsFamily.Linux, "TCP_USER_TIMEOUT 18=120000")]
    [InlineData(OsFamily.MacOS, "TCP_RXT_CONNDROPTIME 128=120")]
    [InlineData(OsFamily.Windows, "TCP_MAXRT 5=120")]
    [InlineData(OsFamily.FreeBSD, "TCP_MAXUNACKTIME 68=120")]
    [InlineData(OsFamily.Illumos, "TCP_ABORT_THRESHOLD 17=120000")]
    [InlineData(OsFamily.Solaris, "TCP_ABORT_THRESHOLD 17=120000")]
    internal void Derived_is_the_detection_time(OsFamily family, string call)
    {
        UserTimeoutPlan plan = UserTimeoutPlan.For(Options(family), UserTimeout.Derived, Minutes, null);
        Assert.Equal(call, Call(plan));
        Assert.Empty(plan.Shortfalls);
    }

    [Theory]
    [InlineData(OsFamily.NetBSD)]
    [InlineData(OsFamily.OpenBSD)]
    [InlineData(OsFamily.Haiku)]
    [InlineData(OsFamily.Other)]
    internal void A_platform_without_one_says_so(OsFamily family)
    {
        UserTimeoutPlan plan = UserTimeoutPlan.For(Options(family), UserTimeout.Derived, Minutes, null);
        Assert.Null(plan.Step);
        Assert.Equal((KernelKeepAliveOption.UserTimeout, "2m0s", "the kernel's own"), Head(Assert.Single(plan.Shortfalls)));
    }

    [Fact]
    public void Where_the_values_are_not_told_the_policy_asked_for_stands_in()
    {
        var untold = new KernelKeepAliveValues { IsOn = true };
        KeepAlivePolicy policy = KeepAliveSpec.Parse("30:3:10").Policy!;
        Assert.Equal("TCP_MAXRT 5=60", Call(UserTimeoutPlan.For(Options(OsFamily.Windows), UserTimeout.Derived, untold, policy)));
        Assert.Equal("derived from the keepalive values",
            Assert.Single(UserTimeoutPlan.For(Options(OsFamily.Windows), UserTimeout.Derived, untold, null).Shortfalls).Asked);
    }

    [Fact]
    public void Derived_touches_nothing_while_keepalive_is_off() =>
        Assert.Null(UserTimeoutPlan.For(Options(OsFamily.Linux), UserTimeout.Derived, Minutes with { IsOn = false }, null).Step);

    [Theory]
    [InlineData("7200:9:75", "TCP_USER_TIMEOUT 18=0")]
    [InlineData("900:1:24", "TCP_USER_TIMEOUT 18=924000")]
    [InlineData("900:1:25", "TCP_USER_TIMEOUT 18=0")]
    public void Derived_never_makes_the_kernel_wait_longer_than_it_does_by_itself(string values, string call)
    {
        UserTimeoutPlan plan = UserTimeoutPlan.For(Options(OsFamily.Linux), UserTimeout.Derived, Values(values), null);
        Assert.Equal(call, Call(plan));
        Assert.Empty(plan.Shortfalls);
    }

    [Theory]
    [InlineData(OsFamily.Linux, "TCP_USER_TIMEOUT 18=0")]
    [InlineData(OsFamily.MacOS, "TCP_RXT_CONNDROPTIME 128=0")]
    [InlineData(OsFamily.Windows, "")]
    [InlineData(OsFamily.Illumos, "")]
    [InlineData(OsFamily.OpenBSD, "")]
    internal void Off_is_the_kernels_own_limit(OsFamily family, string call) =>
        Assert.Equal(call, Call(UserTimeoutPlan.For(Options(family), UserTimeout.Off, Minutes, null)));

    [Theory]
    [InlineData(120_000, null)]
    [InlineData(119_999, null)]
    [InlineData(105_001, null)]
    [InlineData(105_000, "3")]
    [InlineData(10_000, "1")]
    [InlineData(200_000, "10")]
    public void On_Linux_an_explicit_one_replaces_the_count(int milliseconds, string? probes)
    {
        UserTimeoutPlan plan = UserTimeoutPlan.For(Options(OsFamily.Linux), UserTimeout.Of(TimeSpan.FromMilliseconds(milliseconds)), Minutes, null);
        Assert.Equal($"TCP_USER_TIMEOUT 18={milliseconds}", Call(plan));
        if (probes is null) Assert.Empty(plan.Shortfalls);
        else Assert.Equal((KernelKeepAliveOption.Count, "4", probes), Head(Assert.Single(plan.Shortfalls)));
    }

    [Fact]
    public void Seconds_are_rounded_up_and_limits_hold()
    {
        Assert.Equal("TCP_RXT_CONNDROPTIME 128=2", Call(UserTimeoutPlan.For(Options(OsFamily.MacOS), UserTimeout.Of(TimeSpan.FromMilliseconds(1001)), Minutes, null)));
        UserTimeoutPlan clamped = UserTimeoutPlan.For(Options(OsFamily.Linux), UserTimeout.Of(UserTimeout.Max), Minutes with { IsOn = false }, null);
        Assert.Equal("TCP_USER_TIMEOUT 18=2147483647", Call(clamped));
        Assert.Equal("365d0h0m0s", Assert.Single(clamped.Shortfalls).Asked);
    }

    [Fact]
    public void The_three_wishes_cannot_be_mistaken_for_each_other()
    {
        Assert.Equal((true, false, null), (default(UserTimeout).IsDerived, default(UserTimeout).IsOff, default(UserTimeout).Explicit));
        Assert.Equal((false, true, null), (UserTimeout.Off.IsDerived, UserTimeout.Off.IsOff, UserTimeout.Off.Explicit));
        Assert.Equal(TimeSpan.FromSeconds(5), UserTimeout.Of(TimeSpan.FromSeconds(5)).Explicit);
        Assert.Equal("auto off 1m30s", $"{UserTimeout.Derived} {UserTimeout.Off} {UserTimeout.Of(TimeSpan.FromSeconds(90))}");
        Assert.Throws<ArgumentOutOfRangeException>(() => UserTimeout.Of(TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => UserTimeout.Of(UserTimeout.Max + TimeSpan.FromTicks(1)));
    }

    private static KernelOptionSet Options(OsFamily family) => KernelOptionSet.For(new Platform(family, new Version(11, 4, 22000)));

    private static KernelKeepAliveValues Values(string spec)
    {
        KeepAlivePolicy policy = KeepAliveSpec.Parse(spec).Policy!;
        return new KernelKeepAliveValues { IsOn = true, Idle = policy.Idle, Count = policy.Count, Interval = policy.Interval };
    }

    private static string Call(UserTimeoutPlan plan) => plan.Step is { } step ? $"{step.Option.Name} {step.Option.Number}={step.Value}" : "";

    private static (KernelKeepAliveOption, string, string) Head(Shortfall shortfall) => (shortfall.Option, shortfall.Asked, shortfall.Effective);
}
