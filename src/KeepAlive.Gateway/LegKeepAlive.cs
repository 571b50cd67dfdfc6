using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>Kernel keepalive for every leg of a gateway; what the platform cannot do is said once, not once a flow.</summary>
internal sealed class LegKeepAlive(GatewayOptions options, Action<FlowEvent> emit)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _said = [];

    public void Apply(Socket socket, Leg leg, long flow)
    {
        foreach (Shortfall shortfall in KernelKeepAlive.Apply(socket, options.Tcp, options.UserTimeout).Shortfalls)
        {
            string text = shortfall.ToString();
            lock (_lock)
            {
                if (!_said.Add(text)) continue;
            }

            emit(new FlowEvent(flow, MonotonicClock.Now, FlowEventKind.Notice, text) { Leg = leg });
        }
    }
}
