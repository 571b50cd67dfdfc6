using System.Text;
using KeepAlive.Fleet;

namespace KeepAlive.Tests.Fleet;

public sealed class FleetJsonTests
{
    private static readonly FleetPolicy Policy = new(12, "ann@desk", new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero), "shorter", "// why\n{ \"hosts\": [] }\n");

    private static readonly MachineDigest Digest = new()
    {
        Machine = "web-1",
        Version = "0.1.0",
        Started = DateTimeOffset.UnixEpoch,
        Policy = 12,
        Refused = new PolicyRefusal(13, "why"),
        Gateways = 2,
        Flows = new Dictionary<string, int> { ["alive"] = 7, ["probing"] = 2, ["dead"] = 1 },
        Deaths = 5,
        Trial = new Trial(13, 60, 540, 1),
        Worst = [new WorstFlow("ftp", "192.0.2.1:1", "198.51.100.1:21", "probing", 31, 2)],
    };

    [Fact]
    public void What_is_written_is_read()
    {
        Assert.True(FleetJson.TryRead(FleetJson.Write(Policy), out FleetPolicy? policy, out _));
        Assert.Equal(Policy, policy);
        var rollout = new Rollout(Policy, 5, ulong.MaxValue / 20, 1, 20, TimeSpan.FromMinutes(10));
        Assert.True(FleetJson.TryRead(FleetJson.Write(rollout), out Rollout? read, out _));
        Assert.Equal(rollout, read);
        var record = new PolicyRecord(Policy, PolicyOutcome.RolledBack, "deaths rise");
        Assert.True(FleetJson.TryRead(FleetJson.Write(record), out PolicyRecord? history, out _));
        Assert.Equal(record, history);
        Assert.True(FleetJson.TryRead(FleetJson.Write(Digest), out MachineDigest? digest, out _));
        Assert.Equal(FleetJson.Write(Digest), FleetJson.Write(digest));
        Assert.Equal(9, digest.Open);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("\u0000\u0001")]
    [InlineData("<html>404</html>")]
    [InlineData("""{"number":0,"by":"a","at":"2026-03-04T05:06:07+00:00","comment":"","text":"{}"}""")]
    [InlineData("""{"number":1,"by":"a\nb","at":"2026-03-04T05:06:07+00:00","comment":"","text":"{}"}""")]
    [InlineData("""{"number":1,"by":null,"at":"2026-03-04T05:06:07+00:00","comment":"","text":"{}"}""")]
    [InlineData("""{"number":99999999999999999999,"by":"a","at":"x","comment":"","text":"{}"}""")]
    public void Garbage_is_told_and_never_taken(string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        Assert.False(FleetJson.TryRead(bytes, out FleetPolicy? _, out string? fault));
        Assert.DoesNotContain('\n', fault);
        Assert.False(FleetJson.TryRead(bytes, out Rollout? _, out _));
        Assert.False(FleetJson.TryRead(bytes, out PolicyRecord? _, out _));
        Assert.False(FleetJson.TryRead(bytes, out MachineDigest? _, out _));
    }

    // Whatever is made of good values by changing bytes: read or refused, and what is read can be judged, summed up and written.
    [Fact]
    public void Mutated_values_never_throw()
    {
        var random = new Random(5);
        byte[][] good = [FleetJson.Write(Policy), FleetJson.Write(new Rollout(Policy, 5, 9, 1, 20, TimeSpan.FromMinutes(1))), FleetJson.Write(Digest), FleetJson.Write(new PolicyRecord(Policy, PolicyOutcome.Set, ""))];
        for (int i = 0; i < 20_000; i++)
        {
            byte[] value = [.. good[i % good.Length]];
            for (int changes = random.Next(1, 4); changes > 0; changes--) value[random.Next(value.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) value = value[..random.Next(value.Length)];
            _ = FleetJson.TryRead(value, out FleetPolicy? _, out _);
            _ = FleetJson.TryRead(value, out PolicyRecord? _, out _);
            if (FleetJson.TryRead(value, out Rollout? rollout, out _)) _ = RolloutJudge.Judge(rollout, [new FleetMachine("web-1", Digest, null)], TimeSpan.Zero);
            if (FleetJson.TryRead(value, out MachineDigest? digest, out _)) _ = (FleetJson.Write(digest), digest.Open);
        }
    }

    [Fact]
    public void A_digest_stays_small()
    {
        string longest = new('x', 250);
        MachineDigest full = Digest with { Worst = [.. Enumerable.Repeat(new WorstFlow("gateway-with-a-name", "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535", "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535", "probing", 99999, 9), MachineDigest.WorstMax)], Refused = new PolicyRefusal(1, longest) };
        Assert.InRange(FleetJson.Write(full).Length, 1000, 8192);
    }

    [Theory]
    [InlineData("web-1", true)]
    [InlineData("a.b_c-D9", true)]
    [InlineData("", false)]
    [InlineData("..", false)]
    [InlineData(".", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    public void Names_stay_in_their_place(string name, bool isGood) => Assert.Equal(isGood, FleetKeys.IsName(name));
}
