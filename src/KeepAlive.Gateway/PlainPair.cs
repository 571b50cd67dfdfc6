using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Splice;

namespace KeepAlive.Gateway;

/// <summary>
/// A plain relay's engine for two sockets: <see cref="SplicedPair"/> where it can be, else two <see cref="PlainPump"/>s. Whoever
/// closes or resets a socket before both directions are done detaches it first.
/// </summary>
internal sealed class PlainPair(Socket downstream, Socket upstream, Flow flow)
{
    private readonly SplicedPair? _spliced = SplicedPair.Start(downstream, upstream, flow);

    /// <summary>Relays one direction until the source's FIN, which the caller passes on.</summary>
    /// <exception cref="RelayException">A leg died.</exception>
    /// <exception cref="OperationCanceledException">Detached, or a leg died under the other direction.</exception>
    public Task RunAsync(Leg source) => _spliced?.RunAsync(source)
        ?? (source == Leg.Downstream ? PlainPump.RunAsync(downstream, upstream, flow, source) : PlainPump.RunAsync(upstream, downstream, flow, source));

    /// <summary>Touches the sockets no more.</summary>
    public void Detach() => _spliced?.Detach();
}
