using System.Net;
using System.Net.Sockets;

namespace KeepAlive.SystemTests.Sockets;

/// <summary>A connected pair on the loopback, closed with the test.</summary>
internal sealed class Loopback : IDisposable
{
    private Loopback(Socket client, Socket server) => (Client, Server) = (client, server);

    public Socket Client { get; }

    public Socket Server { get; }

    public static async Task<Loopback> ConnectAsync()
    {
        using Socket listener = Listen(IPAddress.Loopback);
        return await ConnectAsync(listener);
    }

    public static async Task<Loopback> ConnectAsync(Socket listener)
    {
        var client = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken);
        return new Loopback(client, await listener.AcceptAsync(TestContext.Current.CancellationToken));
    }

    public static Socket Listen(IPAddress address, int port = 0)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, port));
        listener.Listen(16);
        return listener;
    }

    /// <summary>A port nobody listens on, held so that nobody else takes it meanwhile.</summary>
    public static Socket Refusing(IPAddress address, out int port)
    {
        var holder = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(address, 0));
        port = ((IPEndPoint)holder.LocalEndPoint!).Port;
        return holder;
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }
}
