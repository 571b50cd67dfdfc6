namespace KeepAlive.Protocols.Callers;

/// <summary>Says nothing, whatever the server speaks.</summary>
internal sealed class TcpCaller : Caller
{
    /// <inheritdoc/>
    public override ProofOfLife Proof => ProofOfLife.Kernel;

    /// <inheritdoc/>
    public override void Begin() => Open();

    /// <inheritdoc/>
    public override void Hear(ReadOnlySpan<byte> bytes)
    {
    }
}
