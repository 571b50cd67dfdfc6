using System.Security.Cryptography;

namespace KeepAlive.Protocols.Ssh;

/// <summary>What both ends have said in the clear before an exchange: all of it is in the hash that the server signs.</summary>
internal sealed record SshTranscript(byte[] ClientVersion, byte[] ServerVersion, byte[] ClientInit, byte[] ServerInit);

/// <summary>One exchange of keys by elliptic curves (RFC 5656 section 4), one of its ends.</summary>
/// <remarks>
/// <code>
///   client                                        server
///   ECDH_INIT (30): string Q_C              ----->
///                                           &lt;-----  ECDH_REPLY (31): string K_S, string Q_S, string signature of H
///   H = HASH(V_C, V_S, I_C, I_S, K_S, Q_C, Q_S as strings, K as mpint)
/// </code>
/// </remarks>
internal abstract class SshExchange : IDisposable
{
    private readonly ECDiffieHellman _own;
    private readonly SshTranscript _transcript;

    protected SshExchange(SshAgreement agreement, SshTranscript transcript)
    {
        (Agreement, _transcript) = (agreement, transcript);
        _own = ECDiffieHellman.Create(agreement.Curve);
        OwnPoint = SshCurve.WritePoint(_own.ExportParameters(false).Q);
    }

    public SshAgreement Agreement { get; }

    /// <summary>Once it has succeeded.</summary>
    public SshSecret? Secret { get; private set; }

    protected byte[] OwnPoint { get; }

    /// <summary>What is to be sent at once.</summary>
    public virtual byte[]? First => null;

    /// <summary>The peer's message of the exchange.</summary>
    /// <param name="payload">Its payload.</param>
    /// <param name="answer">What is to be sent.</param>
    public abstract SshFault? Receive(ReadOnlySpan<byte> payload, out byte[]? answer);

    public void Dispose()
    {
        _own.Dispose();
        Secret?.Dispose();
    }

    /// <summary>The secret and the hash; the peer's point may be anything.</summary>
    protected SshFault? Agree(ReadOnlySpan<byte> hostKey, ReadOnlySpan<byte> clientPoint, ReadOnlySpan<byte> serverPoint, ReadOnlySpan<byte> peerPoint)
    {
        var bad = new SshFault(SshReason.KeyExchangeFailed, "the peer's half of the key exchange is no point of the curve");
        if (!SshCurve.Find(Agreement.KeyExchange)!.TryReadPoint(peerPoint, out ECPoint q)) return bad;
        byte[] raw;
        try
        {
            using ECDiffieHellman peer = ECDiffieHellman.Create(new ECParameters { Curve = Agreement.Curve, Q = q }); // checks that it lies on the curve
            raw = _own.DeriveRawSecretAgreement(peer.PublicKey);
        }
        catch (CryptographicException)
        {
            return bad;
        }

        byte[] secret = new SshWriter().Integer(raw).ToArray();
        CryptographicOperations.ZeroMemory(raw);
        SshWriter hashed = new SshWriter().Text(_transcript.ClientVersion).Text(_transcript.ServerVersion).Text(_transcript.ClientInit).Text(_transcript.ServerInit)
            .Text(hostKey).Text(clientPoint).Text(serverPoint).Raw(secret);
        Secret = new SshSecret(secret, SshHash.Of(Agreement.Hash, hashed.Bytes), Agreement.Hash);
        return null;
    }
}

/// <summary>The client's end: it checks whose key signed.</summary>
internal sealed class SshClientExchange(SshAgreement agreement, SshTranscript transcript, Func<SshPublicKey, bool> trust) : SshExchange(agreement, transcript)
{
    public override byte[] First => SshWriter.Of(SshMessage.EcdhInit).Text(OwnPoint).ToArray();

    public override SshFault? Receive(ReadOnlySpan<byte> payload, out byte[]? answer)
    {
        answer = null;
        if (payload[0] != (byte)SshMessage.EcdhReply) return SshFault.Protocol($"message {payload[0]} in place of the server's half of the key exchange");
        var reader = new SshReader(payload[1..]);
        ReadOnlySpan<byte> blob = reader.Text(), point = reader.Text(), signature = reader.Text();
        if (reader.IsShort) return SshFault.Short(SshMessage.EcdhReply);
        if (!SshPublicKey.TryRead(blob, out SshPublicKey? key) || !key.Makes(Agreement.HostKey))
            return new SshFault(SshReason.KeyExchangeFailed, $"the server's key is none for {Agreement.HostKey}");
        if (Agree(blob, OwnPoint, point, point) is { } fault) return fault;
        if (!key.Verify(Agreement.HostKey, signature, Secret!.ExchangeHash))
            return new SshFault(SshReason.HostKeyNotVerifiable, "the server's signature is wrong: it does not hold the key that it shows, or somebody is in between");
        return trust(key) ? null : new SshFault(SshReason.HostKeyNotVerifiable, $"the server's key {key.Fingerprint} ({key.Kind}) is not the one expected");
    }
}

/// <summary>The server's end: it signs.</summary>
internal sealed class SshServerExchange(SshAgreement agreement, SshTranscript transcript, IReadOnlyList<SshPrivateKey> keys) : SshExchange(agreement, transcript)
{
    public override SshFault? Receive(ReadOnlySpan<byte> payload, out byte[]? answer)
    {
        answer = null;
        if (payload[0] != (byte)SshMessage.EcdhInit) return SshFault.Protocol($"message {payload[0]} in place of the client's half of the key exchange");
        var reader = new SshReader(payload[1..]);
        ReadOnlySpan<byte> point = reader.Text();
        if (reader.IsShort) return SshFault.Short(SshMessage.EcdhInit);
        SshPrivateKey key = keys.First(k => k.Public.Makes(Agreement.HostKey)); // no other algorithm was offered
        if (Agree(key.Public.Blob, point, OwnPoint, point) is { } fault) return fault;
        answer = SshWriter.Of(SshMessage.EcdhReply).Text(key.Public.Blob).Text(OwnPoint).Text(key.Sign(Agreement.HostKey, Secret!.ExchangeHash)).ToArray();
        return null;
    }
}
