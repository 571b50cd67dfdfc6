using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.App.Demo;

/// <summary>How the client's session went.</summary>
/// <param name="FileComplete">Every byte arrived, unaltered.</param>
/// <param name="Final">The transfer's final reply; null when none came.</param>
/// <param name="Next">The reply to the next command; null when none came.</param>
internal sealed record DemoOutcome(bool FileComplete, string? Final, string? Next)
{
    /// <summary>The transfer was seen to end well and the session is usable.</summary>
    public bool IsWell => FileComplete && Final?.StartsWith("226", StringComparison.Ordinal) == true && Next?.StartsWith("257", StringComparison.Ordinal) == true;
}

/// <summary>A client as unaware of keepalive as most: log in, fetch, wait for the reply, ask for the directory.</summary>
internal static class DemoFtpClient
{
    public static async Task<DemoOutcome> FetchAsync(IPEndPoint server, byte[] expected, TimeSpan patience, Action<int> onBytes)
    {
        using var control = new TcpClient();
        await control.ConnectAsync(server).ConfigureAwait(false);
        using var reader = new StreamReader(control.GetStream(), Encoding.ASCII);
        await ReplyAsync().ConfigureAwait(false);
        await AskAsync("USER demo").ConfigureAwait(false);
        await AskAsync("PASS demo").ConfigureAwait(false);
        string passive = await AskAsync("PASV").ConfigureAwait(false) ?? throw new IOException("no reply to PASV");
        string[] numbers = passive[(passive.IndexOf('(', StringComparison.Ordinal) + 1)..passive.IndexOf(')', StringComparison.Ordinal)].Split(',');
        int port = (int.Parse(numbers[4], CultureInfo.InvariantCulture) << 8) | int.Parse(numbers[5], CultureInfo.InvariantCulture);

        using var data = new TcpClient();
        await data.ConnectAsync(server.Address, port).ConfigureAwait(false);
        await AskAsync("RETR file").ConfigureAwait(false);
        using var file = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (await data.GetStream().ReadAsync(buffer).ConfigureAwait(false) is var read and > 0)
        {
            file.Write(buffer, 0, read);
            onBytes((int)file.Length);
        }

        bool complete = file.ToArray().AsSpan().SequenceEqual(expected);
        string? final = await ReplyAsync().ConfigureAwait(false);
        string? next = final is null ? null : await AskAsync("PWD").ConfigureAwait(false);
        return new DemoOutcome(complete, final, next);

        async Task<string?> AskAsync(string command)
        {
            await control.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n")).ConfigureAwait(false);
            return await ReplyAsync().ConfigureAwait(false);
        }

        async Task<string?> ReplyAsync()
        {
            using var wait = new CancellationTokenSource(patience);
            try
            {
                return await reader.ReadLineAsync(wait.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                return null;
            }
        }
    }
}
