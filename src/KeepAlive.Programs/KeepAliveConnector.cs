using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Sockets;

namespace KeepAlive;

/// <summary>
/// Connects to a name and port with keepalive on: every address of the name is tried by Happy Eyeballs (RFC 8305), and keepalive and user
/// timeout are set on the socket that wins, so that they survive on every system.
/// </summary>
/// <example><code>
/// using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = new KeepAliveConnector("60:3:20").ConnectAsync });
/// </code></example>
/// <remarks>Safe for use by many threads. One for a program is enough.</remarks>
public sealed class KeepAliveConnector
{
    private readonly Dialer _dialer;

    /// <summary>A connector.</summary>
    /// <param name="spec"><c>idle:count:interval</c> as in <c>60:3:20</c>: <see cref="KeepAliveSpec"/>.</param>
    /// <exception cref="ArgumentNullException">The text is null.</exception>
    /// <exception cref="FormatException">The text is no SPEC; the message names every fault and its fix.</exception>
    public KeepAliveConnector(string spec)
        : this(KeepAliveSpec.Parse(spec))
    {
    }

    /// <summary>A connector.</summary>
    /// <param name="spec">The keepalive its sockets get; of a policy, <see cref="KeepAliveSpec.Of"/>.</param>
    /// <param name="userTimeout">How long sent data may stay unacknowledged; by default as long as the policy takes to find a dead peer.</param>
    /// <param name="connectTimeout">Time for a whole call, name and all addresses: more than zero, at most a day; 10 s by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is out of range.</exception>
    public KeepAliveConnector(KeepAliveSpec spec, UserTimeout userTimeout = default, TimeSpan? connectTimeout = null) =>
        (Spec, UserTimeout, _dialer) = (spec, userTimeout, new Dialer(connectTimeout));

    /// <summary>The keepalive its sockets get.</summary>
    public KeepAliveSpec Spec { get; }

    /// <summary>How long data sent on them may stay unacknowledged.</summary>
    public UserTimeout UserTimeout { get; }

    /// <summary>Time for a whole call.</summary>
    public TimeSpan ConnectTimeout => _dialer.ConnectTimeout;

    /// <summary>
    /// Told of each new connection: its socket, and what became of its keepalive. The place to log
    /// <see cref="KernelKeepAliveReport.Shortfalls"/>. What it throws ends the connection.
    /// </summary>
    public Action<Socket, KernelKeepAliveReport>? Connected { get; init; }

    /// <summary>Connects.</summary>
    /// <param name="host">A name, which is resolved on each call, or an address.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="cancellationToken">Gives up early.</param>
    /// <returns>A connected TCP socket without Nagle's delay. The caller closes it.</returns>
    /// <exception cref="ArgumentException">The host or the port is not valid; the message says why.</exception>
    /// <exception cref="SocketException">The name has no address, every address failed, or the time was over; the message names every
    /// address tried.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<Socket> ConnectAsync(string host, int port, CancellationToken cancellationToken = default)
    {
        var target = new HostPort(host, port);
        using Activity? activity = Telemetry.Activities.StartActivity("keepalive connect", ActivityKind.Client)?.SetTag("server.address", host).SetTag("server.port", port);
        Socket socket;
        try
        {
            socket = await _dialer.DialAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (DialException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw new SocketException((int)ErrorOf(e), e.Message);
        }

        try
        {
            KernelKeepAliveReport report = KernelKeepAlive.Apply(socket, Spec, UserTimeout);
            activity?.SetTag("keepalive.effective", report.ToString());
            if (!report.IsAsAsked) Telemetry.Shortfalls.Add(1);
            Connected?.Invoke(socket, report);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects.</summary>
    /// <param name="endPoint">A name or an address, and a port.</param>
    /// <param name="cancellationToken">Gives up early.</param>
    /// <inheritdoc cref="ConnectAsync(string, int, CancellationToken)"/>
    public Task<Socket> ConnectAsync(DnsEndPoint endPoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return ConnectAsync(endPoint.Host, endPoint.Port, cancellationToken);
    }

    /// <summary>Is a <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <param name="context">What the handler wants to connect to: a server, or its proxy.</param>
    /// <param name="cancellationToken">Gives up early.</param>
    /// <returns>A stream that owns its socket.</returns>
    /// <inheritdoc cref="ConnectAsync(string, int, CancellationToken)" path="/exception"/>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new NetworkStream(await ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false), ownsSocket: true);
    }

    // Callers look at the code: HttpClient makes its HttpRequestError of it.
    private static SocketError ErrorOf(DialException failure) => failure switch
    {
        { InnerException: SocketException resolving } => resolving.SocketErrorCode,
        { InnerException: OperationCanceledException } => SocketError.TimedOut,
        { Attempts: [.., var last] } => last.Error,
        _ => SocketError.HostNotFound,
    };
}
