using System.Net.Sockets;

namespace KeepAlive.Samples;

/// <summary>A client that asks, and waits for the answer.</summary>
internal static class RawTcp
{
    public static async Task<string> AskAsync(string host, bool keepAlive)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, 8082);
        if (keepAlive)
        {
            KernelKeepAliveReport report = client.Client.SetKeepAlive("3:3:1");
            Console.WriteLine(report); // on, idle 3s, 3 probes 1s apart: dead after 6s, user timeout 6s
        }

        using var reader = new StreamReader(client.GetStream());
        await client.GetStream().WriteAsync("WAIT\n"u8.ToArray());
        return await reader.ReadLineAsync() ?? throw new EndOfStreamException();
    }
}
