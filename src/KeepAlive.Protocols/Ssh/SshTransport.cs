using System.Text;

namespace KeepAlive.Protocols.Ssh;

/// <summary>Which end of a session.</summary>
internal enum SshRole
{
    Client,
    Server,
}

/// <summary>
/// The transport layer (RFC 4253): versions, exchanges of keys and packets. What belongs to the layers above comes out of <see cref="Read"/>.
/// </summary>
internal sealed class SshTransport : IDisposable
{
    public const string Version = "SSH-2.0-KeepAlive_0.1";

    // What is held while keys are exchanged: answers to what the peer asked before it knew. It can ask for ever; it is not held for ever.
    private const int HeldBytesMax = 64 * 1024;
    private const int HeldOverheadBytes = 32; // of each: many are a byte long

    private readonly SshRole _role;
    private readonly SshOffer _offer;
    private readonly SshRandom _random;
    private readonly long _bytesUnderKeyMax;
    private readonly Func<SshAgreement, SshTranscript, SshExchange> _begin;
    private readonly SshVersionReader _version;
    private readonly SshPacketReader _in = new();
    private readonly SshPacketWriter _out;
    private readonly List<byte[]> _held = [];
    private int _heldBytes;
    private byte[]? _ownInit; // from our KEXINIT until the keys are new in both directions
    private byte[]? _peerInit;
    private SshExchange? _exchange;
    private bool _isHolding;
    private bool _isSkippingGuess;
    private bool _isStrict;
    private bool _wantsExtInfo;

    public SshTransport(SshRole role, SshOptions options, SshOffer offer, Func<SshAgreement, SshTranscript, SshExchange> begin)
    {
        (_role, _offer, _random, _bytesUnderKeyMax, _begin) = (role, offer, options.Random, options.RekeyAfterBytes, begin);
        _version = new SshVersionReader(role);
        _out = new SshPacketWriter(options.Random);
    }

    public ReadOnlyMemory<byte> Output => _out.Output;

    /// <summary>The first exchange's hash (RFC 4253 section 7.2); null before it is done.</summary>
    public byte[]? SessionId { get; private set; }

    /// <summary>Keys have been exchanged: messages of the layers above may be sent.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Keys are being exchanged.</summary>
    public bool IsExchanging => _ownInit is not null;

    /// <summary>What was agreed upon last.</summary>
    public SshAgreement? Agreement { get; private set; }

    /// <summary>Packets that were the peer's: each is a sign of life.</summary>
    public long Packets { get; private set; }

    /// <summary>The peer has said goodbye.</summary>
    public SshEnd? Goodbye { get; private set; }

    public string? PeerVersion => _version.Version is { } version ? SshText.Printable(Encoding.Latin1.GetString(version)) : null;

    public uint LastSequence => _in.LastSequence;

    /// <summary>More is held than the peer can have a right to.</summary>
    public bool IsFlooded => _heldBytes > HeldBytesMax;

    public void Begin()
    {
        _out.WriteRaw(Encoding.ASCII.GetBytes(Version + "\r\n"));
        BeginExchange();
    }

    /// <summary>Exchanges keys anew, unless that is under way.</summary>
    public void Rekey()
    {
        if (IsReady && !IsExchanging) BeginExchange();
    }

    /// <summary>Sends a message of a layer above; held while keys are exchanged (RFC 4253 section 7.1).</summary>
    /// <returns>The packet's number, when it has one already.</returns>
    public uint? Send(SshWriter message)
    {
        if (_isHolding)
        {
            if (IsFlooded) return null; // the session ends by it
            _held.Add(message.ToArray());
            _heldBytes += message.Bytes.Length + HeldOverheadBytes;
            return null;
        }

        uint sequence = _out.NextSequence;
        _out.Write(message.Bytes);
        RekeyIfDue();
        return sequence;
    }

    public void Disconnect(SshReason reason, string text) =>
        _out.Write(SshWriter.Of(SshMessage.Disconnect).Number((uint)reason).Text(text).Text("").Bytes);

    /// <summary>Everything in <see cref="Output"/> was taken.</summary>
    public void Clear() => _out.Clear();

    /// <summary>Takes bytes until a message of the layers above is whole; empty when there is none in them.</summary>
    public SshFault? Read(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        while (!bytes.IsEmpty && Goodbye is null)
        {
            if (_version.Version is null)
            {
                if (_version.Read(ref bytes) is { } unknown) return unknown;
                continue;
            }

            if (_in.Read(ref bytes, out ReadOnlySpan<byte> read) is { } broken) return broken;
            if (read.IsEmpty) continue;
            Packets++;
            SshFault? fault = Take(read, out bool isAbove);
            if (fault is not null) return fault;
            RekeyIfDue();
            if (!isAbove) continue;
            payload = read;
            return null;
        }

        return null;
    }

    public void Dispose()
    {
        _in.Dispose();
        _out.Dispose();
        _exchange?.Dispose();
    }

    private SshFault? Take(ReadOnlySpan<byte> payload, out bool isAbove)
    {
        isAbove = false;
        var message = (SshMessage)payload[0];
        switch (message)
        {
            case SshMessage.Disconnect:
                return TakeGoodbye(payload);
            case SshMessage.KexInit:
                return TakeInit(payload);
            case SshMessage.NewKeys:
                return TakeNewKeys(payload);
            case >= SshMessage.EcdhInit and < SshMessage.AuthRequest:
                return TakeExchange(payload);
        }

        // Strict: nothing but the exchange itself before the first keys (OpenSSH's PROTOCOL, section 1.10).
        bool isHarmless = message is SshMessage.Ignore or SshMessage.Debug or SshMessage.Unimplemented;
        if (!IsReady && (_isStrict || !isHarmless)) return SshFault.Protocol($"message {payload[0]} before there are keys");
        // From its KEXINIT to its NEWKEYS the peer sends nothing else (RFC 4253 section 7.1).
        if (_peerInit is not null && !isHarmless) return SshFault.Protocol($"message {payload[0]} while keys are exchanged");
        isAbove = message is not (SshMessage.Ignore or SshMessage.Debug or SshMessage.ExtInfo);
        return null;
    }

    private SshFault? TakeGoodbye(ReadOnlySpan<byte> payload)
    {
        var reader = new SshReader(payload[1..]);
        uint reason = reader.Number();
        string text = SshText.Printable(reader.Name());
        Goodbye = new SshEnd((SshReason)Math.Min(reason, int.MaxValue), text, IsOurs: false);
        return null;
    }

    private SshFault? TakeInit(ReadOnlySpan<byte> payload)
    {
        if (_peerInit is not null) return SshFault.Protocol("a second KEXINIT in one exchange");
        if (!SshKexInit.TryRead(payload, out SshKexInit? peer)) return SshFault.Short(SshMessage.KexInit);
        if (_ownInit is null) BeginExchange();
        _peerInit = payload.ToArray();
        SshKexInit.TryRead(_ownInit, out SshKexInit? own);
        bool isClient = _role == SshRole.Client;
        if (!IsReady)
        {
            _isStrict = _offer.IsStrict && peer!.KeyExchanges.Contains(isClient ? SshKexInit.StrictServer : SshKexInit.StrictClient);
            _wantsExtInfo = !isClient && peer!.KeyExchanges.Contains(SshKexInit.ExtInfoClient);
            if (_isStrict && Packets != 1) return SshFault.Protocol("a packet before the first KEXINIT, which a strict exchange forbids");
        }

        if (SshAgreement.Find(isClient ? own! : peer!, isClient ? peer! : own!, peer!, out SshAgreement? agreement) is { } fault) return fault;
        Agreement = agreement!;
        _isSkippingGuess = agreement!.IsGuessWrong;
        byte[] ours = Encoding.ASCII.GetBytes(Version), theirs = _version.Version!;
        _exchange = _begin(agreement, isClient ? new SshTranscript(ours, theirs, _ownInit!, _peerInit) : new SshTranscript(theirs, ours, _peerInit, _ownInit!));
        if (_exchange.First is { } first) _out.Write(first);
        return null;
    }

    private SshFault? TakeExchange(ReadOnlySpan<byte> payload)
    {
        if (_isSkippingGuess)
        {
            _isSkippingGuess = false;
            return null;
        }

        if (_exchange is null || _exchange.Secret is not null) return SshFault.Protocol($"message {payload[0]} without a key exchange that it belongs to");
        if (_exchange.Receive(payload, out byte[]? answer) is { } fault) return fault;
        if (answer is not null) _out.Write(answer);
        SessionId ??= _exchange.Secret!.ExchangeHash;
        _out.Write([(byte)SshMessage.NewKeys]);
        _out.Change(_exchange.Agreement.Protect(_exchange.Secret!, SessionId, isToServer: _role == SshRole.Client), _isStrict);
        // Which signatures users may make (RFC 8308 section 2.4): without it OpenSSH's client has none for an RSA key.
        if (_wantsExtInfo) _out.Write(SshWriter.Of(SshMessage.ExtInfo).Number(1).Text("server-sig-algs").Names(SshOffer.Default.HostKeys).Bytes);
        (_wantsExtInfo, _isHolding) = (false, false);
        foreach (byte[] held in _held) _out.Write(held);
        _held.Clear();
        _heldBytes = 0;
        return null;
    }

    private SshFault? TakeNewKeys(ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 1 || _exchange?.Secret is not { } secret) return SshFault.Protocol("NEWKEYS without a key exchange that it ends");
        _in.Change(_exchange.Agreement.Protect(secret, SessionId!, isToServer: _role == SshRole.Server), _isStrict);
        _exchange.Dispose();
        (_exchange, _ownInit, _peerInit) = (null, null, null);
        IsReady = true;
        return null;
    }

    private void BeginExchange()
    {
        _ownInit = SshKexInit.Write(_offer, _role == SshRole.Client, !IsReady, _random);
        _out.Write(_ownInit);
        _isHolding = true;
    }

    // RFC 4253 section 9.
    private void RekeyIfDue()
    {
        if (_out.BytesUnderKey > _bytesUnderKeyMax || _in.BytesUnderKey > _bytesUnderKeyMax) Rekey();
    }
}
