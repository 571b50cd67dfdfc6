using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ftp;

public enum FtpClientName
{
    Ftplib,
    Lftp,
    Curl,
}

public enum FtpDirection
{
    Download,
    Upload,
}

public enum FtpMode
{
    Passive,
    ExtendedPassive,
    Active,
}

/// <summary>What a client's own words say of its session.</summary>
/// <param name="Complete">The file is on the other side, byte for byte.</param>
/// <param name="EndSeen">It saw the transfer's 226.</param>
/// <param name="NextAnswered">Its next command on the same session was answered.</param>
/// <param name="ControlConnections">How many it made: lftp hides a loss by making another, and exits with 0.</param>
/// <param name="Transcript">Everything it said.</param>
public sealed record FtpOutcome(bool Complete, bool EndSeen, bool NextAnswered, int ControlConnections, string Transcript)
{
    public bool IsWell => Complete && EndSeen && NextAnswered && ControlConnections == 1;

    public string Describe() => $"complete {Complete}, 226 seen {EndSeen}, next command answered {NextAnswered}, control connections {ControlConnections}\n{Transcript}";
}

/// <summary>Unmodified clients: log in, move the file, ask for the directory on the same session.</summary>
public static class RealFtpClient
{
    /// <summary>What a client is given beyond the transfer's own time before it is taken to hang.</summary>
    private const int PatienceSeconds = 25;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(RealFtpServer.TransferSeconds + (2 * PatienceSeconds));

    public static async Task<FtpOutcome> RunAsync(
        FtpClientName name, NetworkSpace host, string address, int port, RealFtpServer server, FtpDirection direction, FtpMode mode, CancellationToken cancel)
    {
        Requires.Programs("python3", "lftp", "curl");
        using var work = new WorkFolder();
        string fetched = work.File("fetched");
        string[] command = name switch
        {
            FtpClientName.Ftplib =>
            [
                "python3", Path.Combine(AppContext.BaseDirectory, "Ftp", "ftplib-client.py"), address, $"{port}", server.User, server.Password,
                direction == FtpDirection.Download ? "get" : "put", $"{mode}", server.ClientMustLimitRate ? $"{RealFtpServer.BytesPerSecond}" : "0",
                direction == FtpDirection.Download ? "big" : server.UploadPath, direction == FtpDirection.Download ? fetched : server.FilePath, $"{PatienceSeconds}",
            ],
            // It says what it did on standard error and shows the reply to 'quote' on standard output: their order is judged, so one stream.
            FtpClientName.Lftp => ["sh", "-c", "exec lftp --norc -d -c \"$1\" 2>&1", "sh", LftpScript(address, port, server, direction, mode, fetched)],
            _ => CurlCommand(address, port, server, direction, mode, fetched),
        };
        await using ChildProcess client = await host.StartAsync(command, environment: new Dictionary<string, string> { ["HOME"] = work.Path });
        try
        {
            await client.WaitForExitAsync(Limit, cancel);
        }
        catch (TimeoutException)
        {
            // It hangs: judged by what it said so far.
        }

        string moved = direction == FtpDirection.Download ? fetched : server.StoredPath;
        bool complete = File.Exists(moved) && await SameAsync(moved, server.FilePath, cancel);
        return Judge(name, complete, client.Lines);
    }

    private static FtpOutcome Judge(FtpClientName name, bool complete, IReadOnlyList<string> lines)
    {
        string transcript = string.Join('\n', lines);
        if (name == FtpClientName.Ftplib)
        {
            string last = lines.LastOrDefault(l => l.StartsWith('{')) ?? "{}";
            JsonElement said = JsonDocument.Parse(last).RootElement;
            bool is226(string key, string code) => said.TryGetProperty(key, out JsonElement value) && value.GetString()?.StartsWith(code, StringComparison.Ordinal) == true;
            return new FtpOutcome(complete, is226("final", "226"), is226("next", "257"), 1, transcript);
        }

        string mark = name == FtpClientName.Lftp ? "<--- " : "< ";
        // lftp shows the reply to 'quote' without its mark.
        List<string> replies = [.. lines.Where(l => l.StartsWith(mark, StringComparison.Ordinal) || l.StartsWith("257 ", StringComparison.Ordinal))
            .Select(l => l.StartsWith(mark, StringComparison.Ordinal) ? l[mark.Length..] : l)];
        int end = replies.FindIndex(r => r.StartsWith("226", StringComparison.Ordinal));
        bool next = end >= 0 && replies.FindIndex(end, r => r.StartsWith("257", StringComparison.Ordinal)) > end;
        // The greeting of each connection; its last line, as there may be several.
        int connections = replies.Count(r => r.StartsWith("220 ", StringComparison.Ordinal));
        return new FtpOutcome(complete, end >= 0, next, connections, transcript);
    }

    private static string LftpScript(string address, int port, RealFtpServer server, FtpDirection direction, FtpMode mode, string fetched)
    {
        string rate = server.ClientMustLimitRate ? $"set net:limit-rate {RealFtpServer.BytesPerSecond};" : "";
        string move = direction == FtpDirection.Download ? $"get big -o {fetched}" : $"put {server.FilePath} -o {server.UploadPath}";
        return string.Create(CultureInfo.InvariantCulture, $"""
            set net:timeout {PatienceSeconds}; set net:max-retries 2; set net:reconnect-interval-base 1; set ftp:ssl-allow no; set ftp:sync-mode on;
            set ftp:passive-mode {(mode == FtpMode.Active ? "no" : "yes")}; set ftp:prefer-epsv {(mode == FtpMode.ExtendedPassive ? "yes" : "no")}; {rate}
            open -u {server.User},{server.Password} ftp://{address}:{port}; {move}; quote PWD; bye
            """).ReplaceLineEndings(" ");
    }

    private static string[] CurlCommand(string address, int port, RealFtpServer server, FtpDirection direction, FtpMode mode, string fetched)
    {
        string path = direction == FtpDirection.Download ? "big" : server.UploadPath;
        return
        [
            "curl", "-sSv", "--max-time", $"{RealFtpServer.TransferSeconds + PatienceSeconds}", "-u", $"{server.User}:{server.Password}",
            .. mode switch { FtpMode.Passive => ["--disable-epsv"], FtpMode.Active => (string[])["--ftp-port", "-"], _ => [] },
            .. server.IsTls ? (string[])["--ssl-reqd", "--insecure"] : [],
            .. server.ClientMustLimitRate ? (string[])["--limit-rate", $"{RealFtpServer.BytesPerSecond}"] : [],
            .. direction == FtpDirection.Download ? (string[])["-o", fetched] : ["-T", server.FilePath],
            "-Q", "-PWD", $"ftp://{address}:{port}/{path}",
        ];
    }

    private static async Task<bool> SameAsync(string path, string as_, CancellationToken cancel)
    {
        await using FileStream one = File.OpenRead(path), other = File.OpenRead(as_);
        if (one.Length != other.Length) return false;
        byte[] hash = await SHA256.HashDataAsync(one, cancel), wanted = await SHA256.HashDataAsync(other, cancel);
        return wanted.AsSpan().SequenceEqual(hash);
    }
}
