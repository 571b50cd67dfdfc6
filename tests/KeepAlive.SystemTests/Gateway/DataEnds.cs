using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>The two ends of data connections, as a test plays them.</summary>
internal static class DataEnds
{
    public static Socket Listen(IPAddress address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen();
        return listener;
    }

    /// <summary>
    /// On a port that nobody is given by chance, so that it can be closed and used again: below those the kernel hands out
    /// (ip_local_port_range, from 32768 on).
    /// </summary>
    public static Socket ListenOnLastingPort(IPAddress? address = null)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        for (int port = Random.Shared.Next(20000, 32000); ; port = port == 32000 ? 20000 : port + 1)
        {
            try
            {
                listener.Bind(new IPEndPoint(address ?? IPAddress.Loopback, port));
                listener.Listen();
                return listener;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one.
            }
        }
    }

    public static int PortOf(Socket listener) => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public static Task<Line> DialAsync(int port) => DialAsync(IPAddress.Loopback, port);

    public static async Task<Line> DialAsync(IPAddress address, int port, IPAddress? from = null)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (from is not null) socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(address, port).WaitAsync(Bench.Patience);
        return new Line(socket);
    }

    /// <summary>The server offers a listener with PASV; the port the client is told.</summary>
    public static async Task<int> PassiveAsync(Line client, Line server, Socket offered)
    {
        int theirs = PortOf(offered);
        await client.SayAsync("PASV");
        Assert.Equal("PASV", await server.HearAsync());
        await server.SayAsync($"227 Entering Passive Mode (10,9,8,7,{theirs >> 8},{theirs & 255})");
        string[] six = (await client.HearAsync()).Split('(', ')')[1].Split(',');
        return (int.Parse(six[4], CultureInfo.InvariantCulture) << 8) | int.Parse(six[5], CultureInfo.InvariantCulture);
    }

    /// <summary>The same with EPSV.</summary>
    public static async Task<int> ExtendedPassiveAsync(Line client, Line server, Socket offered)
    {
        await client.SayAsync("EPSV");
        Assert.Equal("EPSV", await server.HearAsync());
        await server.SayAsync($"229 Entering Extended Passive Mode (|||{PortOf(offered)}|)");
        string[] told = (await client.HearAsync()).Split('|');
        return int.Parse(told[3], CultureInfo.InvariantCulture);
    }

    /// <summary>Bytes pass both ways between the two ends, and both FINs.</summary>
    public static async Task TalkAsync(Line near, Line far)
    {
        await near.SayAsync("up");
        Assert.Equal("up", await far.HearAsync());
        await far.SayAsync("down");
        Assert.Equal("down", await near.HearAsync());
        far.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await near.EndAsync());
        near.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(SocketError.Success, await far.EndAsync());
    }
}
