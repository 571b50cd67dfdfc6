using System.Net;
using System.Net.Sockets;

namespace KeepAlive.SystemTests.Sockets;

/// <summary>A listener whose queue is full: Linux drops further SYNs, so whoever connects waits and waits.</summary>
internal sealed class DeafListener : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public int Port => ((IPEndPoint)_sockets[0].LocalEndPoint!).Port;

    public static async Task<DeafListener> OpenAsync()
    {
        var deaf = new DeafListener();
        Socket listener = deaf.Keep();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        for (int i = 0; i < 8; i++)
        {
            Task connect = deaf.Keep().ConnectAsync(listener.LocalEndPoint!);
            if (await Task.WhenAny(connect, Task.Delay(200, TestContext.Current.CancellationToken)) != connect) return deaf;
            await connect;
        }

        throw new InvalidOperationException("the listener's queue does not fill");
    }

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    private Socket Keep()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        return socket;
    }
}
