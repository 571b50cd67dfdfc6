using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.App.Demo;

/// <summary>The smallest FTP server that a transfer needs: one file, sent slowly; NOOP is answered while it is.</summary>
internal sealed class DemoFtpServer : IDisposable
{
    private const int Pieces = 80;
    private readonly byte[] _file;
    private readonly TimeSpan _duration;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public DemoFtpServer(byte[] file, TimeSpan duration)
    {
        (_file, _duration) = (file, duration);
        _listener.Start();
        _ = AcceptAsync();
    }

    public IPEndPoint Listening => (IPEndPoint)_listener.LocalEndpoint;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync().ConfigureAwait(false);
                _ = ServeAsync(client);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII);
                using var writer = new StreamWriter(stream, Encoding.ASCII) { NewLine = "\r\n", AutoFlush = true };
                using var writing = new SemaphoreSlim(1);
                TcpListener? passive = null;
                await SayAsync("220 demo").ConfigureAwait(false);
                while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
                {
                    string verb = line.Split(' ')[0].ToUpperInvariant();
                    if (verb == "PASV")
                    {
                        passive = new TcpListener(IPAddress.Loopback, 0);
                        passive.Start(1);
                        int port = ((IPEndPoint)passive.LocalEndpoint).Port;
                        await SayAsync(string.Create(CultureInfo.InvariantCulture, $"227 Entering Passive Mode (127,0,0,1,{port >> 8},{port & 255}).")).ConfigureAwait(false);
                    }
                    else if (verb == "RETR" && passive is not null)
                    {
                        _ = SendFileAsync(passive);
                        passive = null;
                    }
                    else
                    {
                        await SayAsync(verb switch { "USER" => "331 any password", "PASS" => "230 welcome", "PWD" => "257 \"/\"", "QUIT" => "221 bye", "NOOP" => "200 ok", _ => "502 not in this demo" }).ConfigureAwait(false);
                    }
                }

                async Task SayAsync(string reply)
                {
                    await writing.WaitAsync().ConfigureAwait(false);
                    try
                    {
                        await writer.WriteLineAsync(reply).ConfigureAwait(false);
                    }
                    finally
                    {
                        writing.Release();
                    }
                }

                async Task SendFileAsync(TcpListener listener)
                {
                    await SayAsync("150 here it comes").ConfigureAwait(false);
                    await SendSlowlyAsync(listener).ConfigureAwait(false);
                    await SayAsync("226 transfer complete").ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The client has gone.
        }
    }

    private async Task SendSlowlyAsync(TcpListener listener)
    {
        using TcpClient data = await listener.AcceptTcpClientAsync().ConfigureAwait(false);
        listener.Dispose();
        int piece = _file.Length / Pieces;
        for (int i = 0; i < Pieces; i++)
        {
            await data.GetStream().WriteAsync(_file.AsMemory(i * piece, piece)).ConfigureAwait(false);
            await Task.Delay(_duration / Pieces).ConfigureAwait(false);
        }
    }
}
