using System.Net;
using System.Net.Sockets;
using KeepAlive.App.Configuration;
using KeepAlive.Linux.Handover;

namespace KeepAlive.App.Up;

/// <summary>Listening sockets that this process was given: by the one that ran before it, or by systemd (socket activation).</summary>
internal sealed class PassedListeners
{
    private readonly List<PassedListener> _all = [];

    /// <summary>Those of systemd stay open however often a gateway comes and goes: nobody else can listen there meanwhile.</summary>
    public IEnumerable<PassedListener> Lasting => _all.Where(l => l.IsLasting);

    /// <summary>Takes what systemd has passed (sd_listen_fds(3)).</summary>
    public void AddActivated()
    {
        if (!OperatingSystem.IsLinux()) return;
        foreach ((string name, Socket listener) in HandedSocket.Passed(Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"), Environment.GetEnvironmentVariable("LISTEN_FDNAMES")))
            _all.Add(new PassedListener(name, (IPEndPoint)listener.LocalEndPoint!, listener, IsLasting: true));
    }

    public void Add(PassedListener listener) => _all.Add(listener);

    public bool Has(GatewayConfig config) => Find(config) is not null;

    /// <summary>The one for a gateway's address, which is the caller's from now on; null for none.</summary>
    public Socket? Take(GatewayConfig config)
    {
        if (Find(config) is not { } found) return null;
        if (found.IsLasting) return HandedSocket.Duplicate(found.Socket);
        _all.Remove(found);
        return found.Socket;
    }

    /// <summary>Closes those of the process before that no gateway has taken.</summary>
    public void CloseUnused()
    {
        foreach (PassedListener unused in _all.Where(l => !l.IsLasting)) unused.Socket.Dispose();
        _all.RemoveAll(l => !l.IsLasting);
    }

    // A port that the system chose is one address for each name.
    private PassedListener? Find(GatewayConfig config)
    {
        IPEndPoint wanted = config.Options.Listen;
        return _all.Where(l => l.Listen.Equals(wanted) && (wanted.Port != 0 || l.Name == PassedListener.Shortened(config.Name))).OrderBy(l => l.IsLasting).FirstOrDefault();
    }
}

/// <summary>A listening socket, and whom it is for.</summary>
/// <param name="Name">The gateway, or systemd's name for it.</param>
/// <param name="Listen">The address as it was asked for: its port may be 0.</param>
/// <param name="Socket">The socket.</param>
/// <param name="IsLasting">Whether it is systemd's.</param>
internal sealed record PassedListener(string Name, IPEndPoint Listen, Socket Socket, bool IsLasting)
{
    // A word has room for so much.
    private const int NameCharsMax = 500;

    /// <summary>What is said of one on the way to another process.</summary>
    public static string Word(string kind, IPEndPoint listen, string name) => $"{kind} {listen} {Shortened(name)}";

    /// <summary>A name as it arrives.</summary>
    public static string Shortened(string name) => name.Length > NameCharsMax ? name[..NameCharsMax] : name;

    /// <summary>Null for another word.</summary>
    public static PassedListener? Of(Handed handed)
    {
        string[] parts = handed.Word.Split(' ', 3);
        bool good = handed.Socket is not null && parts.Length == 3 && parts[0] is "lasting" or "listener" && IPEndPoint.TryParse(parts[1], out _);
        return good ? new PassedListener(parts[2], IPEndPoint.Parse(parts[1]), handed.Socket!, parts[0] == "lasting") : null;
    }
}
