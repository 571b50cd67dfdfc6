using KeepAlive.Core;

namespace KeepAlive.Protocols.Ssh;

/// <summary>
/// One end of an SSH session, without sockets and clock: bytes and the time go in, bytes and events come out. Made to be driven by a loop:
/// send <see cref="Output"/> and say so by <see cref="OnSent"/>, take the events, then wait for bytes or for <see cref="Deadline"/>; until <see cref="End"/> is there.
/// </summary>
/// <remarks>Nothing that the peer sends makes it throw, and all that it holds has a bound, provided that the loop reads no more while much of
/// <see cref="Output"/> waits.</remarks>
internal abstract partial class SshSession : IDisposable
{
    private readonly SshOptions _options;
    private readonly Queue<SshEvent> _events = [];
    private readonly SshReplySlots _slots = new();
    private readonly SortedDictionary<uint, SshChannel> _channels = [];
    private Probe _probe;
    private Instant _setupUntil = Instant.Never;
    private SshAgreement? _told;
    private uint _nextChannel;

    private protected SshSession(SshRole role, SshOptions options, SshOffer offer, Func<SshAgreement, SshTranscript, SshExchange> begin) =>
        (_options, Transport) = (options, new SshTransport(role, options, offer, begin));

    /// <summary>What waits to be sent.</summary>
    public ReadOnlyMemory<byte> Output => Transport.Output;

    /// <summary>How it ended; null while it lives.</summary>
    public SshEnd? End { get; private set; }

    /// <summary>The user is logged in.</summary>
    public bool IsLoggedIn { get; private set; }

    /// <summary>Keys are being exchanged: no keepalive is sent.</summary>
    public bool IsExchangingKeys => Transport.IsExchanging;

    /// <summary>The version that the peer names; null before it has.</summary>
    public string? PeerVersion => Transport.PeerVersion;

    /// <summary>When <see cref="OnDeadline"/> has something to say, as far as is known now.</summary>
    public Instant Deadline => End is not null ? Instant.Never : Instant.Min(_setupUntil, HasProbe ? _probe.Deadline : Instant.Never);

    private protected SshTransport Transport { get; }

    private protected IEnumerable<SshChannel> Channels => _channels.Values;

    private bool HasProbe => IsLoggedIn && _options.KeepAlive is not null;

    /// <summary>The connection is there.</summary>
    public void Begin(Instant now)
    {
        _setupUntil = now + _options.SetupTimeout;
        Transport.Begin();
    }

    /// <summary>Bytes came.</summary>
    public void Receive(ReadOnlySpan<byte> bytes, Instant now)
    {
        while (End is null && !bytes.IsEmpty)
        {
            long packets = Transport.Packets;
            bool wasExchanging = Transport.IsExchanging;
            SshFault? fault = Transport.Read(ref bytes, out ReadOnlySpan<byte> payload);
            if (fault is null && Transport.Packets > packets && HasProbe) _probe.OnReceived(now);
            FollowKeys(wasExchanging, now);
            if (fault is null && !payload.IsEmpty) fault = Take(payload, now);
            if (fault is null && Transport.IsFlooded) fault = SshFault.Protocol("too many requests while keys are exchanged");
            if (fault is not null) Finish(fault.Reason, fault.Text);
            else if (Transport.Goodbye is { } goodbye) Over(goodbye);
        }
    }

    /// <summary>The peer's bytes have ended without a goodbye; the text says how.</summary>
    public void OnClosed(string text)
    {
        if (End is null) Over(new SshEnd(SshReason.None, text, IsOurs: false));
    }

    /// <summary>All of <see cref="Output"/> was taken.</summary>
    public void OnSent() => Transport.Clear();

    /// <summary>Time has come to <paramref name="now"/>. Early calls are harmless.</summary>
    public void OnDeadline(Instant now)
    {
        if (End is not null) return;
        if (now >= _setupUntil)
        {
            Finish(SshReason.ByApplication, IsLoggedIn ? "the exchange of keys took too long" : "the login took too long");
            return;
        }

        if (!HasProbe) return;
        switch (_probe.OnDeadline(now))
        {
            case ProbeEffect.SendProbe:
                SendProbe(now);
                break;
            case ProbeEffect.GiveUp:
                string text = $"dead: nothing came for {Duration.Format(now - _probe.LastReceived)}, {_options.KeepAlive!.Policy.Count} keepalive(s) unanswered";
                Tell(SshEventKind.Died, text);
                Finish(SshReason.ByApplication, text);
                break;
        }
    }

    /// <summary>Ends it.</summary>
    /// <param name="text">Why, for the peer's log.</param>
    public void Disconnect(string text) => Finish(SshReason.ByApplication, text);

    /// <summary>Exchanges keys anew.</summary>
    public void Rekey(Instant now)
    {
        if (!IsLoggedIn || End is not null) return;
        bool wasExchanging = Transport.IsExchanging;
        Transport.Rekey();
        FollowKeys(wasExchanging, now);
    }

    /// <summary>The oldest event not taken yet.</summary>
    public bool TryTakeEvent([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SshEvent? taken) => _events.TryDequeue(out taken);

    /// <inheritdoc/>
    public void Dispose()
    {
        Transport.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Sends a keepalive now, for who keeps the time in place of <see cref="SshOptions.KeepAlive"/>: on the channel that is open, else of the
    /// whole session. While keys are exchanged it waits for their end, as all does.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="now">The time.</param>
    /// <returns>What was sent; null when too many wait for their replies.</returns>
    internal string? Ask(string name, Instant now)
    {
        SshChannel? channel = Channels.FirstOrDefault(c => c.IsOpen && !c.IsClosing);
        SshReplySlots slots = channel?.Slots ?? _slots;
        if (slots.IsFull || End is not null) return null;
        SshWriter request = channel is null
            ? SshWriter.Of(SshMessage.GlobalRequest).Text(name).Flag(true)
            : SshWriter.Of(SshMessage.ChannelRequest).Number(channel.PeerId).Text(name).Flag(true);
        slots.Add(new SshReplySlot(SshAsked.KeepAlive, now, Transport.Send(request)));
        string text = $"{name} {(channel is null ? "to the whole session" : $"on channel {channel.Id}")}";
        Tell(SshEventKind.ProbeSent, text);
        return text;
    }

    /// <summary>Sends any message: how tests play a peer that does as it likes.</summary>
    internal void Inject(SshWriter message) => Transport.Send(message);

    private protected void Tell(SshEventKind kind, string text, TimeSpan? took = null) => _events.Enqueue(new SshEvent(kind, SshText.Printable(text)) { Took = took });

    private protected void OnLoggedIn(string user, Instant now)
    {
        IsLoggedIn = true;
        if (!Transport.IsExchanging) _setupUntil = Instant.Never;
        if (_options.KeepAlive is { } keepAlive) _probe = new Probe(keepAlive.Policy, ProbeQuestion.PeerAlive, now);
        Tell(SshEventKind.LoggedIn, user);
    }

    private protected void Finish(SshReason reason, string text)
    {
        if (End is not null) return;
        Transport.Disconnect(reason, SshText.Printable(text));
        Over(new SshEnd(reason, SshText.Printable(text), IsOurs: true));
    }

    private void Over(SshEnd end)
    {
        End = end;
        Tell(SshEventKind.Ended, end.Text);
    }

    // Whoever begins an exchange, it has its time; done, it is told once.
    private void FollowKeys(bool wasExchanging, Instant now)
    {
        if (Transport.IsExchanging && !wasExchanging && IsLoggedIn) _setupUntil = now + _options.SetupTimeout;
        if (Transport.IsExchanging || Transport.Agreement is null || ReferenceEquals(Transport.Agreement, _told)) return;
        _told = Transport.Agreement;
        if (IsLoggedIn) _setupUntil = Instant.Never;
        Tell(SshEventKind.KeysExchanged, _told.Describe());
        if (!IsLoggedIn) OnReady();
    }

    private void SendProbe(Instant now)
    {
        if (Transport.IsExchanging || Ask(_options.KeepAlive!.Name, now) is null) _probe.OnWithheld(now);
        else _probe.OnProbeSent(now);
    }

    // The names of the replies are those of RFC 4254.
    private void Answered(SshReplySlot slot, string reply, Instant now) => Tell(SshEventKind.ProbeAnswered, reply, now - slot.At);

    /// <summary>Keys are there for the first time.</summary>
    private protected abstract void OnReady();

    /// <summary>A message of the login, or one that only one of the roles knows.</summary>
    /// <returns>Null for nothing wrong; <see cref="NotKnown"/> to have it answered by UNIMPLEMENTED.</returns>
    private protected abstract SshFault? TakeOwn(SshMessage message, ReadOnlySpan<byte> payload, Instant now);

    private protected static SshFault NotKnown { get; } = new(SshReason.None, "");
}
