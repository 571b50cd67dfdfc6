using System.Globalization;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Packages;

/// <summary>
/// The packages, made of what was built, and a place where programs restore them as users do: from a folder, into a cache of their own.
/// Once for all tests that use them.
/// </summary>
public sealed class PackedFolder : IAsyncLifetime
{
    private static readonly TimeSpan BuildBound = TimeSpan.FromMinutes(4);
    private readonly WorkFolder _work = new();

    /// <summary>Where the packages are.</summary>
    public string Packages => _work.Folder("packages");

    /// <summary>The samples, built of the packages.</summary>
    public string Samples => Path.Combine(_work.Path, "samples", "bin", "KeepAlive.Samples.dll");

    public async ValueTask InitializeAsync()
    {
        Requires.Programs("dotnet");
        string rooms = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory)!); // release or debug: what these tests were built as
        await DotnetAsync(Repository.Root, "pack", "KeepAlive.slnx", "--no-build", "--no-restore", "-c", CultureInfo.InvariantCulture.TextInfo.ToTitleCase(rooms), "-o", Packages);
        string samples = Path.Combine(_work.Path, "samples");
        Copy(Path.Combine(Repository.Root, "samples"), samples);
        WriteSource(samples);
        await DotnetAsync(samples, "build", "KeepAlive.Samples", "-o", Path.Combine(samples, "bin"));
    }

    public ValueTask DisposeAsync()
    {
        _work.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A folder of a program's own, which restores from the packages alone.</summary>
    public string NewProgram(string name)
    {
        string folder = _work.Folder(name);
        WriteSource(folder);
        return folder;
    }

    /// <summary>Runs dotnet, and demands that it goes well.</summary>
    public async Task<string> DotnetAsync(string folder, params string[] words)
    {
        await using ChildProcess dotnet = await ChildProcess.StartAsync(["dotnet", .. words], folder, Surroundings);
        await dotnet.WaitForExitAsync(BuildBound);
        return dotnet.ExitCode == 0 ? dotnet.Transcript : throw new InvalidOperationException($"'{dotnet.Name}' ended with {dotnet.ExitCode}: {dotnet.Transcript}");
    }

    // No server of the build's may outlive the test, and no package of the test's the folder.
    private Dictionary<string, string> Surroundings => new()
    {
        ["NUGET_PACKAGES"] = _work.Folder("cache"),
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["UseSharedCompilation"] = "false",
        ["DOTNET_CLI_HOME"] = _work.Folder("home"),
        ["DOTNET_GENERATE_ASPNET_CERTIFICATE"] = "false",
        ["DOTNET_NOLOGO"] = "1",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["CI"] = "",
    };

    private void WriteSource(string folder) => File.WriteAllText(Path.Combine(folder, "nuget.config"),
        $"<configuration><packageSources><clear /><add key=\"packages\" value=\"{Packages}\" /></packageSources></configuration>\n");

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(from, file);
            if (relative.Split('/').Any(part => part is "bin" or "obj")) continue;
            string target = Path.Combine(to, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
