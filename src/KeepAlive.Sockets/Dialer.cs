using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;

namespace KeepAlive.Sockets;

/// <summary>
/// Connects to a host and port by Happy Eyeballs (RFC 8305): the name is resolved on each call, IPv6 and IPv4 take
/// turns, the next address starts after 250 ms or at once when the one before has failed, the first connection wins.
/// </summary>
/// <remarks>
/// Addresses are connected one by one, each on a socket of its own, because .NET's connect to several addresses gives up
/// at the first failure once an option was set by number. Section 3 of the RFC, separate A and AAAA queries, is the
/// resolver's business here: getaddrinfo(3) asks for both and sorts them (RFC 6724). Safe for use by many threads.
/// </remarks>
internal sealed class Dialer
{
    /// <summary>Time for a whole call unless given: 10 s, two SYN retransmissions and a bit on Linux.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Longest time for a call: 24 h.</summary>
    public static readonly TimeSpan TimeoutMax = TimeSpan.FromDays(1);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly Func<IPEndPoint, CancellationToken, Task<Socket>> _connect;

    /// <summary>A dialler.</summary>
    /// <param name="timeout">Time for a whole call, name and all addresses: more than zero, at most
    /// <see cref="TimeoutMax"/>; default <see cref="DefaultTimeout"/>.</param>
    /// <param name="connect">Connects a TCP socket of its own to one address, or fails with a <see cref="SocketException"/>;
    /// default: the base class library's connect.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is out of range.</exception>
    public Dialer(TimeSpan? timeout = null, Func<IPEndPoint, CancellationToken, Task<Socket>>? connect = null)
        : this(timeout ?? DefaultTimeout, Dns.GetHostAddressesAsync, connect)
    {
    }

    internal Dialer(TimeSpan timeout, Func<string, CancellationToken, Task<IPAddress[]>> resolve, Func<IPEndPoint, CancellationToken, Task<Socket>>? connect = null)
    {
        if (timeout <= TimeSpan.Zero || timeout > TimeoutMax)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout),
                $"connect timeout {Duration.Format(timeout)} is outside 0s (exclusive) to {Duration.Format(TimeoutMax)}: use 10s");
        }

        (ConnectTimeout, _resolve, _connect) = (timeout, resolve, connect ?? ConnectAsync);
    }

    /// <summary>Time for a whole call, name and all addresses.</summary>
    public TimeSpan ConnectTimeout { get; }

    /// <summary>Connects.</summary>
    /// <param name="target">Where to; an address is used as it is, a name is resolved now.</param>
    /// <param name="cancellation">Gives up early.</param>
    /// <returns>A connected TCP socket, NoDelay on, no keepalive set yet. The caller closes it.</returns>
    /// <exception cref="DialException">The name has no address, every address failed, or the time was over.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<Socket> DialAsync(HostPort target, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        time.CancelAfter(ConnectTimeout);
        var race = new ConnectRace<Socket>((address, token) => OpenAsync(new IPEndPoint(address, target.Port), token), Task.Delay);
        try
        {
            IReadOnlyList<IPAddress> addresses = await ResolveAsync(target, time.Token).ConfigureAwait(false);
            return await race.RunAsync(addresses, time.Token).ConfigureAwait(false) ?? throw DialException.Failed(target, race.Ended);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw TimedOut(target, race, e);
        }
        catch (OperationCanceledException e)
        {
            throw new OperationCanceledException(e.Message, e, cancellation);
        }
    }

    private async Task<IReadOnlyList<IPAddress>> ResolveAsync(HostPort target, CancellationToken cancellation)
    {
        if (target.Address is { } numeric) return [numeric];
        try
        {
            // getaddrinfo cannot be interrupted; the wait for it can.
            IPAddress[] found = await _resolve(target.Host, cancellation).WaitAsync(cancellation).ConfigureAwait(false);
            IReadOnlyList<IPAddress> order = AddressOrder.Interleave(found);
            return order.Count > 0 ? order : throw new DialException(target, $"cannot connect to {target}: the name has no address", [], null);
        }
        catch (SocketException e)
        {
            throw new DialException(target, $"cannot connect to {target}: cannot resolve '{target.Host}': {e.Message}", [], e);
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellation)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endPoint, cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<Socket> OpenAsync(IPEndPoint endPoint, CancellationToken cancellation)
    {
        Socket socket = await _connect(endPoint, cancellation).ConfigureAwait(false);
        try
        {
            socket.NoDelay = true;
            // With a local port of the ephemeral range as target and nobody listening, TCP's simultaneous open can
            // connect the socket to itself (RFC 9293 section 3.5; Go's net, selfConnect).
            return Equals(socket.LocalEndPoint, socket.RemoteEndPoint) ? throw new SocketException((int)SocketError.ConnectionRefused) : socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private DialException TimedOut(HostPort target, ConnectRace<Socket> race, OperationCanceledException cause) => DialException.TimedOut(target, ConnectTimeout,
        [.. race.Ended, .. race.Undecided.Select(address => new DialAttempt(address, SocketError.TimedOut, "no answer"))], cause);
}
