using System.Text;
using KeepAlive.Fleet;
using KeepAlive.Fleet.Etcd;

namespace KeepAlive.Tests.Fleet;

public sealed class PolicyFollowerTests
{
    private static readonly FleetKeys Keys = new("f");
    private static readonly TimeSpan Observe = TimeSpan.FromMinutes(1);

    private readonly List<long> _applied = [];
    private readonly List<string> _told = [];
    private string? _refusal;
    private byte[]? _kept;

    [Fact]
    public async Task What_was_set_is_applied_once_and_kept()
    {
        PolicyFollower follower = Follower();
        follower.OnRead([Entry(Keys.Current, Policy(3))]);
        await follower.SeeToAsync();
        follower.OnChange(Keys.Current, Entry(Keys.Current, Policy(3)));
        await follower.SeeToAsync();
        Assert.Equal([3], _applied);
        Assert.Equal(3, Digest(follower).Policy);

        PolicyFollower again = Follower(); // etcd is away
        await again.StartAsync();
        Assert.Equal([3, 3], _applied);
        Assert.Equal(3, Digest(again).Policy);
    }

    [Fact]
    public async Task Nothing_is_done_before_etcd_has_said_anything()
    {
        PolicyFollower follower = Follower();
        await follower.SeeToAsync();
        Assert.Empty(_applied);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("{}")]
    public async Task Neither_a_deleted_key_nor_garbage_takes_a_policy_away(string? value)
    {
        PolicyFollower follower = await FollowingAsync(3);
        follower.OnChange(Keys.Current, value is null ? null : new EtcdEntry(Keys.Current, Encoding.UTF8.GetBytes(value), 1, 2, 0));
        await follower.SeeToAsync();
        follower.OnChange(Keys.Rollout, value is null ? null : new EtcdEntry(Keys.Rollout, Encoding.UTF8.GetBytes(value), 1, 2, 0));
        await follower.SeeToAsync();
        Assert.Equal([3], _applied);
        Assert.Equal(3, Digest(follower).Policy);
        Assert.Contains(_told, t => t.Contains(value is null ? "3 stays in force" : "is no policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_policy_leaves_the_one_before_and_is_not_tried_again_and_again()
    {
        PolicyFollower follower = await FollowingAsync(3);
        _refusal = "line 1: no";
        follower.OnChange(Keys.Current, Entry(Keys.Current, Policy(4)));
        await follower.SeeToAsync();
        follower.OnChange(Keys.Judge, null);
        await follower.SeeToAsync();
        Assert.Equal([3, 4], _applied);
        MachineDigest digest = Digest(follower);
        Assert.Equal((3, new PolicyRefusal(4, "line 1: no")), (digest.Policy, digest.Refused));

        _refusal = null;
        follower.OnChange(Keys.Current, Entry(Keys.Current, Policy(5)));
        await follower.SeeToAsync();
        digest = Digest(follower);
        Assert.Equal((5, null), (digest.Policy, digest.Refused));
    }

    [Fact]
    public async Task Another_policy_of_the_same_number_is_another_policy()
    {
        PolicyFollower follower = await FollowingAsync(3);
        follower.OnChange(Keys.Current, Entry(Keys.Current, Policy(3) with { Text = "{ }" }));
        await follower.SeeToAsync();
        Assert.Equal([3, 3], _applied);
    }

    [Fact]
    public async Task Why_it_was_refused_is_one_line_that_others_can_read()
    {
        PolicyFollower follower = await FollowingAsync(3);
        _refusal = "one\ntwo " + new string('x', 5000);
        follower.OnChange(Keys.Current, Entry(Keys.Current, Policy(4)));
        await follower.SeeToAsync();
        Assert.True(FleetJson.TryRead(FleetJson.Write(Digest(follower)), out MachineDigest? read, out _));
        Assert.StartsWith("one two xxx", read.Refused!.Why, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_tries_it_and_goes_back_when_it_is_taken_back()
    {
        PolicyFollower follower = await FollowingAsync(3);
        follower.OnChange(Keys.Rollout, Entry(Keys.Rollout, All(4)));
        await follower.SeeToAsync();
        Assert.Equal(new Trial(4, 0, 0, 0), Digest(follower).Trial);
        follower.OnChange(Keys.Rollout, null);
        await follower.SeeToAsync();
        Assert.Equal([3, 4, 3], _applied);
        Assert.Null(Digest(follower).Trial);
    }

    [Fact]
    public async Task A_canary_of_the_first_policy_of_all_goes_back_to_none()
    {
        PolicyFollower follower = Follower();
        follower.OnRead([Entry(Keys.Rollout, All(1))]);
        await follower.SeeToAsync();
        follower.OnChange(Keys.Rollout, null);
        await follower.SeeToAsync();
        Assert.Equal([1, 0], _applied);
        Assert.Null(_kept);
    }

    [Fact]
    public async Task A_canary_keeps_what_goes_to_all()
    {
        PolicyFollower follower = await FollowingAsync(3);
        follower.OnChange(Keys.Rollout, Entry(Keys.Rollout, All(4)));
        await follower.SeeToAsync();
        follower.OnChange(Keys.Current, Entry(Keys.Current, Policy(4)));
        follower.OnChange(Keys.Rollout, null);
        await follower.SeeToAsync();
        follower.OnChange(Keys.Current, null);
        await follower.SeeToAsync();
        Assert.Equal([3, 4], _applied);
    }

    [Fact]
    public async Task The_others_wait_and_count_beside_them()
    {
        PolicyFollower follower = await FollowingAsync(3);
        follower.OnChange(Keys.Rollout, Entry(Keys.Rollout, All(4) with { Threshold = 0 }));
        await follower.SeeToAsync();
        Assert.Equal([3], _applied);
        Assert.Equal(4, Digest(follower).Trial?.Policy);
    }

    [Fact]
    public void Who_judges_is_known_and_gives_nobody_anything_to_do()
    {
        PolicyFollower follower = Follower();
        follower.OnChange(Keys.Judge, new EtcdEntry(Keys.Judge, "web-2"u8.ToArray(), 1, 1, 77));
        Assert.Equal(77, follower.JudgeLease);
        Assert.False(follower.Wished.IsCompleted);
        follower.OnChange(Keys.Judge, null);
        Assert.Equal(0, follower.JudgeLease);
    }

    [Fact]
    public async Task A_kept_policy_that_cannot_be_read_is_told_and_left()
    {
        _kept = Encoding.UTF8.GetBytes("{\"policy\":");
        await Follower().StartAsync();
        Assert.Empty(_applied);
        Assert.Contains("cannot be read", Assert.Single(_told), StringComparison.Ordinal);
    }

    private async Task<PolicyFollower> FollowingAsync(long number)
    {
        PolicyFollower follower = Follower();
        follower.OnRead([Entry(Keys.Current, Policy(number))]);
        await follower.SeeToAsync();
        return follower;
    }

    private PolicyFollower Follower() => new(Keys, "web-1", new FleetHooks
    {
        Apply = policy =>
        {
            _applied.Add(policy?.Number ?? 0);
            return Task.FromResult(_refusal);
        },
        Digest = () => Plain,
        Tell = (_, text) => _told.Add(text),
        Keep = bytes => _kept = bytes,
        Kept = () => _kept,
    }, TimeProvider.System);

    private static MachineDigest Plain => new() { Machine = "", Version = "1", Started = DateTimeOffset.UnixEpoch };

    private static MachineDigest Digest(PolicyFollower follower) => follower.Fill(Plain);

    private static FleetPolicy Policy(long number) => new(number, "ann@desk", DateTimeOffset.UnixEpoch, "", "{}");

    private static Rollout All(long number) => new(Policy(number), 50, ulong.MaxValue, 1, 2, Observe);

    private static EtcdEntry Entry(string key, FleetPolicy policy) => new(key, FleetJson.Write(policy), 1, 1, 0);

    private static EtcdEntry Entry(string key, Rollout rollout) => new(key, FleetJson.Write(rollout), 1, 1, 0);
}
