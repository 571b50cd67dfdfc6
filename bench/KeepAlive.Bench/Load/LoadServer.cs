using System.Net;
using System.Net.Sockets;

namespace KeepAlive.Bench.Load;

/// <summary>
/// The server of all loads, a process of its own. The first byte of a connection says what it is for; as an FTP server it greets,
/// and answers whatever line it gets.
/// </summary>
internal sealed class LoadServer(bool isFtp)
{
    /// <summary>What an FTP client logs in with, then says for ever.</summary>
    public const string FtpLogin = "USER u\r\n";
    public const string FtpLine = "NOOP\r\n";

    /// <summary>Everything is read and thrown away; at the end the server says how much it was.</summary>
    public const byte Sink = (byte)'s';

    /// <summary>Messages of <see cref="MessageBytes"/> come back; that byte is the first of the first one.</summary>
    public const byte Echo = (byte)'e';

    /// <summary>Nothing more is read.</summary>
    public const byte Deaf = (byte)'d';

    public const int MessageBytes = 64;
    public const int ChunkBytes = 256 * 1024;

    private readonly List<Socket> _deaf = [];

    /// <summary>Prints its port, then serves until standard input ends.</summary>
    public static async Task<int> RunAsync(bool isFtp)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4096);
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        var server = new LoadServer(isFtp);
        new Thread(() => server.Serve(listener)) { IsBackground = true }.Start();
        await Console.In.ReadToEndAsync().ConfigureAwait(false);
        return 0;
    }

    // Everything that echoes on one thread, as an event loop has it; sinks leave it for threads of their own.
    private void Serve(Socket listener)
    {
        List<Socket> all = [listener];
        byte[] message = new byte[MessageBytes];
        while (true)
        {
            List<Socket> ready = [.. all];
            Socket.Select(ready, null, null, -1);
            foreach (Socket socket in ready)
            {
                if (socket == listener)
                {
                    if (Accept(listener) is { } accepted) all.Add(accepted);
                }
                else if (!Answer(socket, message)) all.Remove(socket);
            }
        }
    }

    // Null when it has gone already.
    private Socket? Accept(Socket listener)
    {
        Socket? accepted = null;
        try
        {
            accepted = listener.Accept();
            accepted.NoDelay = true;
            if (isFtp) accepted.Send("220 ready\r\n"u8);
            return accepted;
        }
        catch (SocketException)
        {
            accepted?.Dispose();
            return null;
        }
    }

    // Whether it goes on here.
    private bool Answer(Socket socket, byte[] message)
    {
        try
        {
            int read = socket.Receive(message);
            if (read == 1 && message[0] == Sink)
            {
                new Thread(() => Drain(socket)) { IsBackground = true }.Start();
                return false;
            }

            if (read == 1 && message[0] == Deaf)
            {
                _deaf.Add(socket);
                return false;
            }

            if (read > 0)
            {
                socket.Send(!isFtp ? message.AsSpan(0, read) : message[0] == FtpLogin[0] ? "230 in\r\n"u8 : "200 ok\r\n"u8);
                return true;
            }
        }
        catch (SocketException)
        {
            // It was reset: over, too.
        }

        socket.Dispose();
        return false;
    }

    private static void Drain(Socket socket)
    {
        byte[] chunk = new byte[ChunkBytes];
        long total = 0; // without the byte that said what it is for
        try
        {
            for (int read = 1; read > 0; total += read) read = socket.Receive(chunk);
            socket.Send(BitConverter.GetBytes(total));
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The client was ended in the midst of it, or its relay.
        }

        socket.Dispose();
    }
}
