using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.Bench;

/// <summary>
/// The two ends of many idle FTP sessions, each end in a process of its own: descriptors are limited per process.
/// They speak just enough FTP to be logged in, and prove at the end that every session still answers.
/// </summary>
internal static class IdlePeers
{
    /// <summary>Prints its port, then serves until standard input ends.</summary>
    public static async Task<int> ServeAsync(int flows)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(Math.Min(flows, 4096));
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        _ = Task.Run(async () =>
        {
            while (true) _ = SessionAsync(await listener.AcceptAsync().ConfigureAwait(false));
        });
        await Console.In.ReadToEndAsync().ConfigureAwait(false);
        return 0;
    }

    /// <summary>Opens the sessions, prints "ready", waits for a line on standard input, asks each once more, prints how many answered.</summary>
    public static async Task<int> ConnectAsync(int port, int flows)
    {
        var sessions = new List<Socket>();
        for (int i = 0; i < flows; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
            await LineAsync(socket).ConfigureAwait(false);
            await AskAsync(socket, "USER u").ConfigureAwait(false);
            await AskAsync(socket, "PASS p").ConfigureAwait(false);
            sessions.Add(socket);
        }

        Console.WriteLine("ready");
        await Console.In.ReadLineAsync().ConfigureAwait(false);
        int answered = 0;
        foreach (Socket socket in sessions)
            if ((await AskAsync(socket, "PWD").ConfigureAwait(false)).StartsWith("257", StringComparison.Ordinal)) answered++;
        Console.WriteLine(answered);
        return 0;
    }

    private static async Task SessionAsync(Socket client)
    {
        try
        {
            await client.SendAsync("220 ready\r\n"u8.ToArray()).ConfigureAwait(false);
            while (await LineAsync(client).ConfigureAwait(false) is { Length: > 0 } line)
            {
                string reply = line.Split(' ')[0] switch { "USER" => "331 go on", "PASS" => "230 in", "PWD" => "257 \"/\"", _ => "200 ok" };
                await client.SendAsync(Encoding.ASCII.GetBytes(reply + "\r\n")).ConfigureAwait(false);
            }
        }
        catch (SocketException)
        {
            // The bench is over.
        }
    }

    private static async Task<string> AskAsync(Socket socket, string command)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(command + "\r\n")).ConfigureAwait(false);
        return await LineAsync(socket).ConfigureAwait(false);
    }

    // No buffer while idle: what the ends hold does not matter here, but there is no need to be wasteful.
    private static async Task<string> LineAsync(Socket socket)
    {
        var line = new StringBuilder();
        byte[] one = new byte[64];
        do
        {
            int read = await socket.ReceiveAsync(one).ConfigureAwait(false);
            if (read == 0) return "";
            line.Append(Encoding.ASCII.GetString(one, 0, read));
        }
        while (line[^1] != '\n');
        return line.ToString().TrimEnd();
    }
}
