using System.Globalization;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Stomp;

/// <summary>STOMP 1.1 and 1.2 with heart-beats of ours to an end that has agreed to get some.</summary>
/// <remarks>
/// A heart-beat is a line end between two frames, and is not answered. It goes in a direction only where its sender offered some and its
/// receiver wants them ("Heart-beating"): the receiver counts them as its peer's life, so the gateway lets them out only while it lives.
/// </remarks>
internal sealed class StompProtocol : Protocol
{
    private readonly StompFrames _client = new();
    private readonly StompFrames _server = new();
    private (int Offers, int Wants) _ofClient;
    private (int Offers, int Wants) _ofServer;
    private bool _isConnected;
    private bool _isEnding;

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    public override void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        verdicts.Send(from.Other(), bytes);
        while (!bytes.IsEmpty && !IsPlain)
        {
            if (!_isConnected && from == Leg.Downstream && bytes[0] == Tls.Handshake) BecomePlain(Tls.Why, verdicts);
            StompFrames frames = from == Leg.Downstream ? _client : _server;
            bytes = bytes[frames.Take(bytes, out bool isHead, out bool isSound)..];
            if (!isSound) BecomePlain("not a frame of STOMP's: not understood any more", verdicts);
            else if (isHead) OnHead(from, frames);
        }
    }

    /// <inheritdoc/>
    public override void OnEnded(Leg from, Verdicts verdicts) => _isEnding = true;

    /// <inheritdoc/>
    public override ProbeAttempt TryProbe(Leg towards, Instant now, Verdicts verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        string? why = IsPlain ? "plain relay"
            : !_isConnected ? "the client is not connected yet"
            : _isEnding ? "the session is ending"
            : !IsAgreed(towards) ? "no heart-beats were agreed on in this direction"
            : !(towards == Leg.Upstream ? _client : _server).IsBetween ? "in the middle of a message"
            : null;
        if (why is not null) return new ProbeAttempt(ProbeOutcome.Withheld, why);
        verdicts.Send(towards, "\n"u8);
        return new ProbeAttempt(ProbeOutcome.Refreshed, "heart-beat");
    }

    private bool IsAgreed(Leg towards) => towards == Leg.Upstream ? _ofClient.Offers > 0 && _ofServer.Wants > 0 : _ofServer.Offers > 0 && _ofClient.Wants > 0;

    private void OnHead(Leg from, StompFrames frames)
    {
        switch (frames.Command)
        {
            case "CONNECT" or "STOMP" when from == Leg.Downstream:
                _ofClient = Read(frames.HeartBeat);
                break;
            case "CONNECTED" when from == Leg.Upstream:
                (_ofServer, _isConnected) = (Read(frames.HeartBeat), true);
                break;
            case "DISCONNECT" or "ERROR":
                _isEnding = true;
                break;
        }
    }

    // "what I can send,what I would like", in milliseconds; nothing of either where it is missing.
    private static (int Offers, int Wants) Read(string? heartBeat) =>
        heartBeat?.Split(',') is [var offers, var wants] && int.TryParse(offers, NumberStyles.None, CultureInfo.InvariantCulture, out int a) && int.TryParse(wants, NumberStyles.None, CultureInfo.InvariantCulture, out int b) ? (a, b) : (0, 0);
}
