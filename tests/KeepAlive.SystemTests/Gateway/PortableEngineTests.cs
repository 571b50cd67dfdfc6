namespace KeepAlive.SystemTests.Gateway;

// The same by the engine that every system has.

public sealed class PortablePlainRelayTests : PlainRelayTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableFlowTests : FlowTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableEndedLegTests : EndedLegTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableDataConnectionTests : DataConnectionTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableFtpGatewayTests : FtpGatewayTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableHostileClientTests : HostileClientTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableTransferProbeTests : TransferProbeTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortablePassiveRangeTests : PassiveRangeTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}

public sealed class PortableWebSocketGatewayTests : WebSocketGatewayTests
{
    protected override KeepAlive.Gateway.RelayEngine Engine => KeepAlive.Gateway.RelayEngine.Portable;
}
