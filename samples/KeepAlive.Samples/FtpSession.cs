using System.Net.Sockets;
using System.Text;
using KeepAlive.Protocols;

namespace KeepAlive.Samples;

/// <summary>A session of FTP on which the user thinks for a while.</summary>
internal static class FtpSession
{
    public static async Task<string> AskAsync(string host, bool keepAlive, TimeSpan thinking)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, 8083);
        Stream stream = client.GetStream();
        if (keepAlive) stream = new KeepAliveStream(stream, "ftp", KeepAlivePolicy.Parse("3:3:1"));

        using var reader = new StreamReader(stream);
        await reader.ReadLineAsync(); // 220
        await SayAsync("USER anonymous");
        await SayAsync("PASS me@example.com");
        await Task.Delay(thinking);
        return await SayAsync("PWD") == "257 \"/\"" ? "news" : throw new InvalidDataException();

        async Task<string?> SayAsync(string command)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
            return await reader.ReadLineAsync();
        }
    }
}
