using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Tests.Protocols;

/// <summary>A client and a server in memory, whose bytes reach each other in pieces of a chosen size.</summary>
internal sealed class SshPair
{
    public const string User = "kat";
    public const string Password = "secret";

    public static readonly SshPrivateKey HostKey = SshPrivateKey.Generate();

    private readonly int _piece;

    public SshPair(Func<SshClientOptions, SshClientOptions>? client = null, Func<SshServerOptions, SshServerOptions>? server = null, int piece = int.MaxValue)
    {
        _piece = piece;
        var clientOptions = new SshClientOptions { Random = RandomNumberGenerator.Fill, User = User, Password = Password, TrustHostKey = _ => true };
        var serverOptions = new SshServerOptions { Random = RandomNumberGenerator.Fill, HostKeys = [HostKey], LetIn = login => login.User == User && login.Password == Password };
        Client = new SshClient(client?.Invoke(clientOptions) ?? clientOptions);
        Server = new SshServer(server?.Invoke(serverOptions) ?? serverOptions);
    }

    public SshClient Client { get; }

    public SshServer Server { get; }

    public Instant Now { get; set; } = Instant.Zero + TimeSpan.FromSeconds(1000);

    /// <summary>Nothing that the client sends arrives.</summary>
    public bool IsClientLost { get; set; }

    public bool IsServerLost { get; set; }

    public List<SshEvent> ClientEvents { get; } = [];

    public List<SshEvent> ServerEvents { get; } = [];

    public SshPair Begin()
    {
        Client.Begin(Now);
        Server.Begin(Now);
        Pump();
        return this;
    }

    /// <summary>Until nobody has anything to say.</summary>
    public void Pump()
    {
        while (Move(Client, Server, IsClientLost) | Move(Server, Client, IsServerLost))
        {
        }

        while (Client.TryTakeEvent(out SshEvent? e)) ClientEvents.Add(e);
        while (Server.TryTakeEvent(out SshEvent? e)) ServerEvents.Add(e);
    }

    /// <summary>Time goes on by as much, and at each deadline of either end it is told of it.</summary>
    public void Pass(TimeSpan span)
    {
        Instant until = Now + span;
        while (true)
        {
            Instant next = Instant.Min(Client.Deadline, Server.Deadline);
            if (next > until) break;
            Now = Instant.Max(Now, next);
            Client.OnDeadline(Now);
            Server.OnDeadline(Now);
            Pump();
        }

        Now = until;
    }

    public int Count(SshEventKind kind, bool ofClient = true) => (ofClient ? ClientEvents : ServerEvents).Count(e => e.Kind == kind);

    private bool Move(SshSession from, SshSession to, bool isLost)
    {
        byte[] bytes = from.Output.ToArray();
        from.OnSent();
        if (!isLost)
        {
            for (int at = 0; at < bytes.Length; at += Math.Min(_piece, bytes.Length - at)) to.Receive(bytes.AsSpan(at, Math.Min(_piece, bytes.Length - at)), Now);
        }

        return bytes.Length > 0;
    }
}
