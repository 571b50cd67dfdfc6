using System.Net.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary>
/// Unmodified programs, silent for 20 s behind a NAT that forgets after 8 s: lost without us, kept with <c>run</c> and
/// with <c>apply</c>, by root and by an ordinary user.
/// </summary>
/// <remarks>Alone on the machine: eleven programs race against a NAT, and what starts late has lost.</remarks>
[Collection(Alone.Name)]
public sealed class KeptAliveTests
{
    private const int Silence = 20;
    private const string Spec = "3:3:2"; // count and interval differ, so that one taken for the other shows

    private const string Kept = "kept 1 3 3 2 9000";
    private const string Lost = "lost 0 7200 9 75 0";

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(Silence + 30);

    [Fact]
    public async Task Silent_for_20s_behind_a_NAT_that_forgets_after_8s()
    {
        Requires.Programs("python3", "ss", "setpriv");
        await using NetworkLab lab = await NetworkLab.BuildAsync(LabOptions.Default);
        using var work = new WorkFolder();
        string ordinary = OrdinaryUser.Program(work), client = await Clients.BuildStaticAsync(work);
        using Socket listener = await lab.Server.InsideAsync(() => DataEnds.Listen(lab.Server.Address));
        _ = Clients.EchoAsync(listener);

        IReadOnlyList<string> python = Clients.Python($"{lab.Server.Address}", DataEnds.PortOf(listener), Silence);
        IReadOnlyList<string> c = [client, $"{lab.Server.Address}", $"{DataEnds.PortOf(listener)}", $"{Silence}"];
        string[] run = [Program, "run", Spec, "--via"], runAsNobody = [.. OrdinaryUser.Prefix, ordinary, "run", Spec, "--"];
        await Outcomes.AssertAsync(() => "",
            ("Python, alone", OutcomeAsync(lab, python), Lost),
            ("static C, alone", OutcomeAsync(lab, c), Lost),
            ("Python, run as root by a cgroup", OutcomeAsync(lab, [.. run, "cgroup", "--", .. python]), Kept),
            ("static C, run as root by a cgroup", OutcomeAsync(lab, [.. run, "cgroup", "--", .. c]), Kept),
            ("Python, run as nobody", OutcomeAsync(lab, [.. runAsNobody, .. python]), Kept),
            ("static C, run as nobody", OutcomeAsync(lab, [.. runAsNobody, .. c]), Kept),
            ("static C, run by borrowed sockets", OutcomeAsync(lab, [.. run, "pidfd", "--", .. c]), Kept),
            ("Python, applied by root", OutcomeAsync(lab, python, [Program]), Kept),
            ("static C, applied by root", OutcomeAsync(lab, c, [Program]), Kept),
            ("Python, applied by nobody", OutcomeAsync(lab, [.. OrdinaryUser.Prefix, .. python], [.. OrdinaryUser.Prefix, ordinary]), Kept),
            ("static C, applied by nobody", OutcomeAsync(lab, [.. OrdinaryUser.Prefix, .. c], [.. OrdinaryUser.Prefix, ordinary]), Kept));
    }

    /// <summary>What the client printed at last, when the kernel's own tool agreed about its timer before.</summary>
    private static async Task<string> OutcomeAsync(NetworkLab lab, IReadOnlyList<string> command, IReadOnlyList<string>? applyBy = null)
    {
        await using ChildProcess client = await lab.Client.StartAsync(command);
        string port = (await client.WaitForLineAsync(l => l.StartsWith("port ", StringComparison.Ordinal), Patience))[5..];
        if (applyBy is not null)
        {
            await Task.Delay(TimeSpan.FromSeconds(2)); // it has been running for a while when it is found
            string said = await lab.Client.RunAsync([.. applyBy, "apply", Spec, "--port", port, "--netns", "own"]);
            Assert.Contains("off -> 3:3:2 (user timeout 9s)", said, StringComparison.Ordinal);
        }

        string timer = await lab.Client.RunAsync(["ss", "-tnoH", $"sport = :{port}"]);
        string outcome = await client.WaitForLineAsync(l => l.StartsWith("kept", StringComparison.Ordinal) || l.StartsWith("lost", StringComparison.Ordinal), Patience);
        bool isArmed = timer.Contains("timer:(keepalive,", StringComparison.Ordinal);
        return isArmed == outcome.StartsWith("kept", StringComparison.Ordinal) ? outcome : $"{outcome}, and ss said '{timer}'";
    }
}
