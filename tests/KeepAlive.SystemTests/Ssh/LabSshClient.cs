using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Channels;
using KeepAlive.Paths.Ssh;
using KeepAlive.Protocols.Ssh;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Ssh;

/// <summary>Our SSH client on the lab's client host, and what it told.</summary>
internal sealed class LabSshClient : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<SshEvent> _events = Channel.CreateUnbounded<SshEvent>();
    private readonly List<SshEvent> _seen = [];
    private readonly SshFlow _flow;

    private LabSshClient(Socket socket, SshClientOptions options)
    {
        var session = new SshClient(options);
        _flow = new SshFlow(socket, session, e => _events.Writer.TryWrite(e));
        Ended = Task.Run(async () =>
        {
            SshEnd end = await _flow.RunAsync(_stop.Token);
            _events.Writer.Complete();
            return end;
        });
    }

    public Task<SshEnd> Ended { get; }

    public string Transcript => string.Join('\n', _seen);

    public int Count(SshEventKind kind)
    {
        while (_events.Reader.TryRead(out SshEvent? e)) _seen.Add(e);
        return _seen.Count(e => e.Kind == kind);
    }

    public static async Task<LabSshClient> DialAsync(NetworkLab lab, int port, Func<SshClientOptions, SshClientOptions> change, string? fingerprint = null)
    {
        Socket socket = await lab.Client.InsideAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        await socket.ConnectAsync(new IPEndPoint(lab.Server.Address, port));
        return new LabSshClient(socket, change(new SshClientOptions
        {
            Random = RandomNumberGenerator.Fill,
            User = port == RealSshServer.ProFtpdPort ? "kat" : "root",
            TrustHostKey = key => fingerprint is null || key.Fingerprint == fingerprint,
        }));
    }

    /// <summary>Waits until this many of a kind were told.</summary>
    public async Task WaitForAsync(SshEventKind kind, int count, TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        try
        {
            while (Count(kind) < count)
            {
                if (!await _events.Reader.WaitToReadAsync(limit.Token)) Assert.Fail($"ended before {count} {kind}: {Transcript}");
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"no {count} {kind} within {within}: {Transcript}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Ended;
        _flow.Dispose();
        _stop.Dispose();
    }
}
