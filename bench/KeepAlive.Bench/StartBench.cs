using System.Globalization;

namespace KeepAlive.Bench;

/// <summary>How long the program takes to start, in each form it can be published in; the launcher runs the first that can be built.</summary>
internal static class StartBench
{
    private const int Rounds = 20;

    private static readonly string[] Forms = ["single-file", "ready-to-run", "portable"];
    private static readonly string[] Commands = ["--version", "--help", "list"];

    public static int Run()
    {
        string[] programs = [.. Forms.Select(Publish), Machine.Program];
        Console.WriteLine($"{Machine.Describe()}; {Rounds} rounds, median (minimum to maximum)\n");
        Console.WriteLine($"| form | size | {string.Join(" | ", Commands.Select(c => $"`keepalive {c}`"))} | against the best |\n| --- | --- |{string.Concat(Enumerable.Repeat(" --- |", Commands.Length + 1))}");
        WallTime[][] times = [.. Commands.Select(command => WallTime.Of(Rounds, [.. programs.Select(program => (string[])[program, command])]))];
        for (int form = 0; form < programs.Length; form++)
        {
            double megabytes = Directory.EnumerateFiles(Path.GetDirectoryName(programs[form])!).Sum(file => new FileInfo(file).Length) / 1e6;
            IEnumerable<string> ratios = times.Select(t => (t[form].Median / t.Min(other => other.Median)).ToString("0.00", CultureInfo.InvariantCulture));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {(form < Forms.Length ? Forms[form] : "what ./keepalive runs")} | {megabytes:0.0} MB | {string.Join(" | ", times.Select(t => t[form]))} | {string.Join(", ", ratios)} |"));
        }

        return 0;
    }

    private static string Publish(string form)
    {
        string folder = Path.Combine(Machine.Root, "artifacts/bench", form), project = Path.Combine(Machine.Root, "src/KeepAlive.App");
        string[] profile = form == "portable" ? [] : ["--use-current-runtime", $"-p:PublishProfile={form}"];
        WallTime.Output(["dotnet", "publish", project, "-c", "Release", "-o", folder, "--nologo", "-v", "quiet", "-nodeReuse:false",
            $"-p:ArtifactsPath={Path.Combine(Machine.Root, "artifacts/bench/build", form)}", .. profile]);
        return Path.Combine(folder, "keepalive");
    }
}
