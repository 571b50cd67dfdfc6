using System.Globalization;
using System.Text.Json;
using KeepAlive.Paths.Reflect;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Paths;

public sealed class MeasureTests
{
    /// <summary>Every one for itself, all at once: a real connection tracker that drops or resets, with and without picking flows up in mid-connection.</summary>
    [Fact]
    public async Task Finds_the_timeout_of_a_connection_tracker_and_how_it_fails()
    {
        (int Timeout, bool Resets, bool IsLoose)[] all = [.. from timeout in (int[])[7, 13, 31, 60] from resets in (bool[])[false, true] from loose in (bool[])[false, true] select (timeout, resets, loose)];
        string?[] faults = await Task.WhenAll(all.Select((path, i) => FaultAsync(path.Timeout, path.Resets, path.IsLoose, TimeSpan.FromSeconds(0.5 * i))));
        Assert.True(Array.TrueForAll(faults, f => f is null), string.Join('\n', faults.OfType<string>()));
    }

    private static async Task<string?> FaultAsync(int timeout, bool resets, bool isLoose, TimeSpan after)
    {
        await Task.Delay(after, TestContext.Current.CancellationToken); // sixteen programs that start at once start slowly
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default with { BindingTimeout = TimeSpan.FromSeconds(timeout), Resets = resets, IsLoose = isLoose });
        await using PathReflector reflector = await MeasureProcess.ReflectAsync(lab);
        JsonElement result = await MeasureProcess.ResultAsync(lab.Client, reflector.Listening, TimeSpan.FromSeconds((2.2 * timeout) + 40), "--max", "2m");
        List<string> faults = [];
        if (!MeasureProcess.IsWithin(timeout, result)) faults.Add("not within a second");
        if (result.GetProperty("expiry").GetString() != (resets ? "reset-on-use" : "silent")) faults.Add("fails otherwise");
        if (MeasureProcess.Answers(result) != "yes yes yes yes yes") faults.Add("is refreshed otherwise");
        if (result.GetProperty("clientRevives").GetBoolean() != (isLoose && !resets)) faults.Add("treats a client that speaks first otherwise");
        if (result.GetProperty("connections").GetInt32() >= 200) faults.Add("took too many connections");
        // Room for a busy machine: in virtual time it is held to 2.2 exactly (MeasurementTests).
        if (result.GetProperty("tookSeconds").GetDouble() > (2.2 * timeout) + 10) faults.Add("took too long");
        return faults.Count == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{timeout} s, {(resets ? "resets" : "drops")}, {(isLoose ? "loose" : "strict")}: {string.Join(", ", faults)}: {result}");
    }
}
