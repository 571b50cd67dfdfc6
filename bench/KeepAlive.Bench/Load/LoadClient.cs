using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepAlive.Bench.Load;

/// <summary>The clients of all loads, a process of their own; each prints its figures in one line.</summary>
internal static class LoadClient
{
    // What takes longer is lost, and a bench that waits for it would wait for ever.
    private const int AnswerMs = 20_000;

    // Enough to show that nothing holds the sender back.
    private const long SwallowedMax = 1L << 30;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(2);

    /// <summary>Sends so many bytes over each of so many flows; prints seconds.</summary>
    public static int Bulk(int port, int flows, long bytesEach)
    {
        Socket[] sockets = [.. Enumerable.Range(0, flows).Select(_ => Connect(port))];
        foreach (Socket socket in sockets) socket.Send([LoadServer.Sink]);
        Thread.Sleep(50); // the byte goes alone: the server looks at nothing else
        long begun = Stopwatch.GetTimestamp();
        Thread[] threads = [.. sockets.Select(socket => new Thread(() => Send(socket, bytesEach)))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return Say(Stopwatch.GetElapsedTime(begun).TotalSeconds);
    }

    /// <summary>A message to and fro on each flow, without end for two seconds; prints p50, p99 and p99.9 in microseconds, and messages a second.</summary>
    public static int PingPong(int port, int flows, bool isFtp)
    {
        var sent = new Dictionary<Socket, long>();
        byte[] answer = new byte[LoadServer.MessageBytes];
        byte[] message = isFtp ? Encoding.ASCII.GetBytes(LoadServer.FtpLine) : [LoadServer.Echo, .. new byte[LoadServer.MessageBytes - 1]];
        int answerBytes = isFtp ? "200 ok\r\n".Length : message.Length;
        List<Socket> all = [.. Enumerable.Range(0, flows).Select(_ => isFtp ? LogIn(port) : Connect(port))];
        foreach (Socket socket in all)
        {
            sent[socket] = Stopwatch.GetTimestamp();
            socket.Send(message);
        }

        var took = new List<double>(1_000_000);
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < WarmUp + Measured;)
        {
            List<Socket> ready = [.. all];
            Socket.Select(ready, null, null, 1_000_000);
            bool counts = Stopwatch.GetElapsedTime(begun) > WarmUp;
            foreach (Socket socket in ready)
            {
                int read = socket.Receive(answer);
                if (read != answerBytes) throw new InvalidOperationException($"{read} bytes came back");
                long now = Stopwatch.GetTimestamp();
                if (counts) took.Add(Stopwatch.GetElapsedTime(sent[socket], now).TotalMicroseconds);
                sent[socket] = now;
                socket.Send(message);
            }
        }

        took.Sort();
        double at(double share) => took[(int)(took.Count * share)];
        return Say(at(0.5), at(0.99), at(0.999), took.Count / Measured.TotalSeconds);
    }

    /// <summary>Connects, gets a message back and closes, on four threads for two seconds; prints flows a second.</summary>
    public static int Accept(int port)
    {
        int done = 0;
        long begun = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            byte[] message = new byte[LoadServer.MessageBytes];
            message[0] = LoadServer.Echo;
            while (Stopwatch.GetElapsedTime(begun) < Measured)
            {
                using Socket socket = Connect(port);
                socket.Send(message);
                if (socket.Receive(message) != message.Length) throw new InvalidOperationException("no whole message came back");
                Interlocked.Increment(ref done);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return Say(done / Stopwatch.GetElapsedTime(begun).TotalSeconds);
    }

    /// <summary>Sends for two seconds to a server that reads nothing; prints how many bytes were taken.</summary>
    public static int Swallow(int port)
    {
        using Socket socket = Connect(port);
        socket.Send([LoadServer.Deaf]);
        Thread.Sleep(100);
        socket.Blocking = false;
        byte[] chunk = new byte[64 * 1024];
        long taken = 0;
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < Measured && taken < SwallowedMax;)
        {
            taken += socket.Send(chunk, SocketFlags.None, out SocketError error);
            if (error == SocketError.WouldBlock) socket.Poll(10_000, SelectMode.SelectWrite);
        }

        return Say(taken);
    }

    private static void Send(Socket socket, long bytes)
    {
        byte[] chunk = new byte[LoadServer.ChunkBytes];
        for (long left = bytes; left > 0; left -= chunk.Length) socket.Send(chunk.AsSpan(0, (int)Math.Min(left, chunk.Length)));
        socket.Shutdown(SocketShutdown.Send);
        byte[] said = new byte[sizeof(long)];
        int read = socket.Receive(said);
        if (read != said.Length || BitConverter.ToInt64(said) != bytes) throw new InvalidOperationException($"{bytes} bytes were sent, the server counted {BitConverter.ToInt64(said)}");
        socket.Dispose();
    }

    private static Socket LogIn(int port)
    {
        byte[] answer = new byte[LoadServer.MessageBytes];
        Socket socket = Connect(port);
        _ = socket.Receive(answer);
        socket.Send(Encoding.ASCII.GetBytes(LoadServer.FtpLogin));
        _ = socket.Receive(answer);
        return socket;
    }

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = AnswerMs, SendTimeout = AnswerMs };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static int Say(params double[] figures)
    {
        Console.WriteLine(string.Join(' ', figures.Select(f => f.ToString("R", CultureInfo.InvariantCulture))));
        return 0;
    }
}
