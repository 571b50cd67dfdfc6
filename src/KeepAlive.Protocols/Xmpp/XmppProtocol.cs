using KeepAlive.Core;

namespace KeepAlive.Protocols.Xmpp;

/// <summary>XMPP (RFC 6120) with a space of ours between two stanzas, to either end.</summary>
/// <remarks>
/// A space between stanzas means nothing, is not answered, and is no stanza that Stream Management would count (XEP-0198), as a
/// ping of XEP-0199 would be. It is not allowed while a login is under way (section 6.3.5 and 5.3.3), so none goes before the stream that
/// follows one.
/// </remarks>
internal sealed class XmppProtocol : Protocol
{
    private const string Stream = "stream";

    private XmlDepth _client;
    private XmlDepth _server;
    private bool _isLoggedIn;
    private bool _clientHasRestarted;
    private bool _serverHasRestarted;
    private bool _isEnding;

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        verdicts.Send(from.Other(), bytes);
        ref XmlDepth xml = ref Of(from);
        foreach (byte b in bytes)
        {
            if (IsPlain) return;
            if (xml is { Depth: 0, IsInText: true } && b == Tls.Handshake) BecomePlain(Tls.Why, verdicts);
            else if (!xml.Take(b, out string? opened)) BecomePlain("not a stream of XMPP's: not understood any more", verdicts);
            else if (opened is not null) OnOpened(from, ref xml, opened, verdicts);
            else if (xml is { Depth: 0, IsInText: true } && b == '>' && HasBegun(from)) _isEnding = true; // </stream:stream>
        }
    }

    /// <inheritdoc/>
    public override void OnEnded(Leg from, Verdicts verdicts) => _isEnding = true;

    /// <inheritdoc/>
    public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        string? why = IsPlain ? "plain relay"
            : !_clientHasRestarted || !_serverHasRestarted ? "before login"
            : _isEnding ? "the session is ending"
            : Of(towards.Other()) is not { Depth: 1, IsInText: true } ? "in the middle of a stanza"
            : null;
        if (why is not null) return new ProbeAttempt(ProbeOutcome.Withheld, why);
        verdicts.Send(towards, " "u8);
        return new ProbeAttempt(ProbeOutcome.Refreshed, "a space");
    }

    private void OnOpened(Leg from, ref XmlDepth xml, string name, Verdicts verdicts)
    {
        string local = name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..];
        if (local == Stream)
        {
            // Also at depth 2: after a login both begin anew without an end.
            if (xml.Depth == 2 && _isLoggedIn && !HasBegun(from)) xml.RestartAt(1);
            if (from == Leg.Downstream) _clientHasRestarted = _isLoggedIn;
            else _serverHasRestarted = _isLoggedIn;
        }

        if (xml.Depth != 2 || from == Leg.Downstream) return;
        if (local == "success") _isLoggedIn = true;
        if (local is "proceed" or "compressed") BecomePlain("encrypted or compressed from here, kernel keepalive only", verdicts);
    }

    private bool HasBegun(Leg from) => from == Leg.Downstream ? _clientHasRestarted : _serverHasRestarted;

    private ref XmlDepth Of(Leg leg) => ref leg == Leg.Downstream ? ref _client : ref _server;
}
