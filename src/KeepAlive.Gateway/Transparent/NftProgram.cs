using System.ComponentModel;
using System.Diagnostics;

namespace KeepAlive.Gateway.Transparent;

/// <summary>nft(8), which speaks with the kernel for us.</summary>
internal static class NftProgram
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    // An ordinary user's PATH may lack the second and third.
    private static readonly string[] Folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), "/usr/sbin", "/sbin"];

    /// <summary>Where it is.</summary>
    /// <exception cref="RedirectException">Nowhere.</exception>
    public static string Path => Find(Folders);

    internal static string Find(IEnumerable<string> folders) => folders.Select(folder => System.IO.Path.Combine(folder, "nft")).FirstOrDefault(File.Exists)
        ?? throw new RedirectException("there is no program nft here: install the package nftables (apt-get install nftables, dnf install nftables)");

    /// <summary>What it prints for a command line of its own.</summary>
    /// <param name="input">What it reads on stdin; null for nothing.</param>
    /// <param name="arguments">The command.</param>
    /// <exception cref="RedirectException">It could not be started, refused, or took over 10 s.</exception>
    public static async Task<string> RunAsync(string? input, params string[] arguments)
    {
        using Process process = Start(Path, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        try
        {
            await WriteAsync(process, input ?? "").ConfigureAwait(false);
            process.StandardInput.Close();
            await process.WaitForExitAsync().WaitAsync(TimeMax).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            process.Kill();
            throw new RedirectException($"nft {string.Join(' ', arguments)}: no end within {TimeMax.TotalSeconds:0} s", e);
        }

        if (process.ExitCode != 0) throw Refused((await error.ConfigureAwait(false)).Split('\n')[0]);
        return await output.ConfigureAwait(false);
    }

    /// <summary>Starts a program with three pipes.</summary>
    /// <exception cref="RedirectException">It could not be.</exception>
    public static Process Start(string path, params string[] arguments)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = "/dev/null"; // or it would keep a history of what it is told
        start.Environment["LC_ALL"] = "C"; // its complaints are looked at
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new RedirectException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Writes to its stdin; that it has ended already shows elsewhere.</summary>
    public static async Task WriteAsync(Process process, string text)
    {
        try
        {
            await process.StandardInput.WriteAsync(text).ConfigureAwait(false);
            await process.StandardInput.FlushAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // EPIPE: what it said before it ended is what counts.
        }
    }

    /// <summary>What it complained of: <c>/dev/stdin:1:2-3: Error: User does not exist</c>.</summary>
    public static RedirectException Refused(string line)
    {
        int at = line.IndexOf("Error: ", StringComparison.Ordinal);
        string why = (at < 0 ? line : line[(at + "Error: ".Length)..]).Trim();
        return new RedirectException($"nft refused the rules: {why}" + why switch
        {
            _ when why.StartsWith("User does not exist", StringComparison.Ordinal) => ": give --user a name of this machine (getent passwd), or a number",
            _ when why.Contains("Operation not permitted", StringComparison.Ordinal) => ": it needs root, or CAP_NET_ADMIN as an ambient capability",
            _ when why.Contains("No such file or directory", StringComparison.Ordinal) => ": the kernel has no NAT, or no match for cgroups, for nftables (CONFIG_NFT_REDIR, CONFIG_NFT_SOCKET)",
            _ => "",
        });
    }
}
