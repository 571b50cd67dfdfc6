using System.Text.Json;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Linux;

namespace KeepAlive.SystemTests.Up;

/// <summary>Host policies on a program that knows nothing of keepalive.</summary>
public sealed class HostPolicyTests
{
    [Fact]
    public async Task Observing_changes_nothing_and_applying_does_what_was_observed()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        await using Holder chosen = await Holder.StartAsync(lab.Client, [], 2), other = await Holder.StartAsync(lab.Client, [], 1);
        string Config(string mode) => $$"""{ "hosts": [ { "name": "ours", "process": "python3", "port": {{chosen.Port}}, "remote": "127.0.0.0/8", "spec": "60:4:15", "mode": "{{mode}}" } ] }""";
        await using UpProcess up = await UpProcess.StartAsync(work, Config("observe"), lab.Client);
        await up.WaitForAsync("observed", 4, "would be changed");
        Assert.Equal(["off", "off", "off", "off"], await SpelledAsync(lab, chosen));

        await up.RewriteAsync(Config("apply"));
        await up.WaitForAsync("changed", 4, "\"name\":\"ours\"");
        Assert.Equal(Enumerable.Repeat("60:4:15 120000", 4), await SpelledAsync(lab, chosen));
        Assert.Equal(["off", "off"], await SpelledAsync(lab, other));

        // One that comes later, on both of its ends.
        await using ChildProcess late = await lab.Client.StartAsync(["/usr/bin/env", "python3", "-c", $"import socket, signal; s = socket.create_connection(('127.0.0.1', {chosen.Port})); print('up', flush=True); signal.pause()"]);
        await up.WaitForAsync("changed", 6);
        Assert.Equal(Enumerable.Repeat("60:4:15 120000", 5), await SpelledAsync(lab, chosen));
        Assert.Equal((4, 6), (up.Count("observed"), up.Count("changed"))); // each connection once
        Assert.Equal(0, await up.StopAsync());
    }

    [Fact]
    public async Task An_ordinary_user_does_what_it_may_and_says_what_it_may_not()
    {
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        string program = OrdinaryUser.Program(work);
        await using Holder own = await Holder.StartAsync(lab.Client, OrdinaryUser.Prefix, 1), roots = await Holder.StartAsync(lab.Client, [], 1);
        await using UpProcess up = await UpProcess.StartAsync(work, $$"""
            { "hosts": [ { "name": "own", "user": {{OrdinaryUser.Id}}, "port": {{own.Port}}, "spec": "60:4:15", "mode": "apply" }, { "name": "roots", "user": "root", "spec": "60:4:15", "mode": "apply" } ] }
            """, lab.Client, [.. OrdinaryUser.Prefix, program]);
        await up.WaitForAsync("changed", 2, "\"name\":\"own\"");
        await up.WaitForAsync("not-changed", 2, "root may change it");
        await up.WaitForAsync("notice", 1, "or as root");
        Assert.Equal(["60:4:15 120000", "60:4:15 120000"], await SpelledAsync(lab, own));
        Assert.Equal(["off", "off"], await SpelledAsync(lab, roots));
        Assert.Equal(0, await up.StopAsync());
    }

    private static async Task<string[]> SpelledAsync(NetworkLab lab, Holder holder) =>
        [.. (await Holder.ListAsync(lab.Client, "--pid", $"{holder.Pid}")).Where(IsEstablished).Select(Holder.Spell)];

    private static bool IsEstablished(JsonElement connection) => connection.GetProperty("state").GetString() == "established";
}
