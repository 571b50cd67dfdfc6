using System.Net;
using KeepAlive.Core;
using KeepAlive.Gateway;

namespace KeepAlive.SystemTests.Gateway;

/// <summary>Tests of what a gateway does, whatever moves its bytes.</summary>
public abstract class GatewayTests
{
    protected virtual RelayEngine Engine => RelayEngine.Auto;

    private protected Bench NewBench(string protocol, Func<GatewayOptions, GatewayOptions>? change = null, IPAddress? address = null, IPAddress? serverAddress = null,
        Func<FlowEvent, bool>? told = null) =>
        new(protocol, options => (change?.Invoke(options) ?? options) with { Engine = Engine }, address, serverAddress, told);
}
