using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Protocols;
using KeepAlive.Sockets;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>A gateway in this process, a listener of the test as its server, and every event it told.</summary>
internal sealed class Bench : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly BlockingCollection<FlowEvent> _events = [];
    private readonly List<FlowEvent> _seen = [];
    private readonly List<Line> _lines = [];

    public Bench(string protocol, Func<GatewayOptions, GatewayOptions>? change = null, IPAddress? address = null, IPAddress? serverAddress = null,
        Func<FlowEvent, bool>? told = null)
    {
        IPAddress loopback = address ?? IPAddress.Loopback;
        Server = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Server.Bind(new IPEndPoint(serverAddress ?? loopback, 0));
        Server.Listen(1024);
        var options = new GatewayOptions
        {
            Listen = new IPEndPoint(loopback, 0),
            To = new HostPort((serverAddress ?? loopback).ToString(), ((IPEndPoint)Server.LocalEndPoint!).Port),
            Protocol = ProtocolList.Find(protocol)!,
        };
        Gateway = KeepAlive.Gateway.Gateway.Start(change?.Invoke(options) ?? options, e =>
        {
            if (told?.Invoke(e) != false) _events.Add(e);
        });
    }

    public Socket Server { get; }

    public KeepAlive.Gateway.Gateway Gateway { get; }

    /// <summary>The events asked for so far, and those before them.</summary>
    public IReadOnlyList<FlowEvent> Seen => _seen;

    public async Task<Line> ConnectAsync(IPAddress? from = null)
    {
        var socket = new Socket(Gateway.Listening.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (from is not null) socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(Gateway.Listening);
        return Keep(new Line(socket));
    }

    public async Task<(Line Client, Line Server)> PairAsync()
    {
        Line client = await ConnectAsync();
        return (client, Keep(new Line(await Server.AcceptAsync().WaitAsync(Patience))));
    }

    /// <summary>A logged-in FTP session.</summary>
    public async Task<(Line Client, Line Server)> LogInAsync()
    {
        (Line client, Line server) = await PairAsync();
        await server.SayAsync("220 ready");
        Assert.Equal("220 ready", await client.HearAsync());
        await PassAsync(client, server, "USER u", "230 in");
        return (client, server);
    }

    /// <summary>A command reaches the server as it is, and its reply the client.</summary>
    public static async Task PassAsync(Line client, Line server, string command, string reply)
    {
        await client.SayAsync(command);
        Assert.Equal(command, await server.HearAsync());
        await server.SayAsync(reply);
        Assert.Equal(reply, await client.HearAsync());
    }

    /// <summary>The next event of this kind, past ones not yet asked for included.</summary>
    public Task<FlowEvent> EventAsync(FlowEventKind kind) => EventAsync(e => e.Kind == kind, $"{kind}");

    /// <summary>The next that <paramref name="matches"/>.</summary>
    public async Task<FlowEvent> EventAsync(Func<FlowEvent, bool> matches, string what = "event asked for") => await Task.Run(() =>
    {
        while (_events.TryTake(out FlowEvent? e, Patience))
        {
            _seen.Add(e);
            if (matches(e)) return e;
        }

        throw new TimeoutException($"no {what} after: {string.Join("; ", _seen.Select(e => $"{e.Kind} {e.Text}"))}");
    });

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        Server.Dispose();
        foreach (Line line in _lines) line.Dispose();
    }

    // A socket nobody refers to any more is closed by its finalizer, at any time.
    private Line Keep(Line line)
    {
        _lines.Add(line);
        return line;
    }
}

/// <summary>An end that speaks in lines.</summary>
internal sealed class Line(Socket socket) : IDisposable
{
    private readonly StringBuilder _heard = new();

    public Socket Socket { get; } = socket;

    public Task SayAsync(string line) => Socket.SendAsync(Encoding.Latin1.GetBytes(line + "\r\n"));

    public async Task<string> HearAsync()
    {
        byte[] one = new byte[256];
        int end;
        while ((end = _heard.ToString().IndexOf('\n', StringComparison.Ordinal)) < 0)
        {
            int read = await Socket.ReceiveAsync(one).WaitAsync(Bench.Patience);
            if (read == 0) throw new EndOfStreamException($"ended after '{_heard}'");
            _heard.Append(Encoding.Latin1.GetString(one, 0, read));
        }

        string line = _heard.ToString(0, end).TrimEnd('\r');
        _heard.Remove(0, end + 1);
        return line;
    }

    /// <summary>How the connection ends: no error for FIN.</summary>
    public async Task<SocketError> EndAsync()
    {
        byte[] rest = new byte[65536];
        try
        {
            while (await Socket.ReceiveAsync(rest).WaitAsync(Bench.Patience) > 0)
            {
            }

            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    public void Dispose() => Socket.Dispose();
}
