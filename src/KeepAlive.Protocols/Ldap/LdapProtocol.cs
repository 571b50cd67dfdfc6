using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Ldap;

/// <summary>LDAP (RFC 4511) with an Abandon, or a search of the root entry, between the client's operations.</summary>
/// <remarks>
/// <para>
/// Message IDs are the client's from 1 upwards and ours from 2^31-1 downwards, each used once: an answer is ours by its ID.
/// </para>
/// <para>
/// Nothing is sent before the first operation is answered, while a bind or StartTLS runs (sections 4.2.1, 4.14.1), after a bind
/// that may have put a security layer around the session until the client's next byte shows that it has not, and after Unbind.
/// OpenLDAP refuses a StartTLS that comes right behind an Abandon, for operations outstanding: it waits the few milliseconds.
/// </para>
/// </remarks>
internal sealed class LdapProtocol : FramedProtocol
{
    /// <summary>Notice of Disconnection: unavailable (RFC 4511 section 4.4.1).</summary>
    internal static readonly byte[] Refusal =
        [0x30, 36, 0x02, 1, 0, (byte)LdapOperation.ExtendedResponse, 31, 0x0A, 1, 52, 0x04, 0, 0x04, 0, 0x8A, 22, .. "1.3.6.1.4.1.1466.20036"u8];

    /// <summary>StartTLS is kept this far behind a message of ours. Measured with slapd 2.5: none refused at 5 ms, 31 of 200 at once.</summary>
    internal static readonly TimeSpan StartTlsGap = TimeSpan.FromMilliseconds(50);

    // A client that comes so near to our IDs is not understood: none counts so far.
    private const int IdGap = 1 << 16;
    private const int SaslBindInProgress = 14;

    private readonly LdapOptions _options;
    private int _lowest = int.MaxValue;
    private int _startTls;
    private int _search;
    private Busy _busy = Busy.NothingAnsweredYet;
    private bool _bindMayAddLayer;

    private enum Busy : byte
    {
        No,
        NothingAnsweredYet,
        Binds,
        StartsTls,
        LayerMayBegin,
        Unbound,
    }

    /// <summary>A new connection.</summary>
    /// <param name="options">What to send.</param>
    /// <param name="now">The time.</param>
    public LdapProtocol(LdapOptions options, Instant now)
        : base(now, (options ?? throw new ArgumentNullException(nameof(options))).IdleAgeMax) => _options = options;

    /// <inheritdoc/>
    protected override FrameMeasure Measure(Leg from, ReadOnlySpan<byte> start) => LdapMessage.Measure(start);

    /// <inheritdoc/>
    protected override FrameFate OnFrame(Leg from, ReadOnlySpan<byte> frame, Verdicts verdicts)
    {
        var message = new LdapMessage(frame);
        return from == Leg.Downstream ? OnRequest(message, verdicts) : OnResponse(message, verdicts);
    }

    /// <inheritdoc/>
    protected override void OnPassed(Leg from, Verdicts verdicts)
    {
        if (from == Leg.Upstream && _busy == Busy.StartsTls && _startTls == 0) Surrender("StartTLS: encrypted from here, kernel keepalive only", verdicts);
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => _busy switch
    {
        Busy.NothingAnsweredYet => "nothing was answered yet",
        Busy.Binds => "a bind is under way",
        Busy.StartsTls => "StartTLS is under way",
        Busy.LayerMayBegin => "the session may be encrypted from here",
        Busy.Unbound => "the client has said goodbye",
        _ => null,
    };

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        if (_options.Probe == LdapProbe.Search)
        {
            _search = _lowest--;
            verdicts.Send(towards, LdapMessage.RootSearch(_search));
            return new ProbeAttempt(ProbeOutcome.Sent, "search of the root entry");
        }

        _lowest -= 2;
        verdicts.Send(towards, LdapMessage.Abandon(_lowest + 2, _lowest + 1));
        return new ProbeAttempt(ProbeOutcome.Refreshed, "Abandon");
    }

    private FrameFate OnRequest(LdapMessage message, Verdicts verdicts)
    {
        if (message.Id >= _lowest - IdGap)
        {
            Surrender($"a message ID of {message.Id}, where ours are: not understood any more", verdicts);
            return FrameFate.Pass;
        }

        switch (message.Operation)
        {
            case LdapOperation.BindRequest:
                (_busy, _bindMayAddLayer) = (Busy.Binds, message.MayAddLayer);
                break;
            case LdapOperation.ExtendedRequest when message.IsStartTls:
                if (ProbedAt != Instant.Zero && Now < ProbedAt + StartTlsGap)
                {
                    HoldUntil(ProbedAt + StartTlsGap);
                    return FrameFate.Hold;
                }

                (_busy, _startTls) = (Busy.StartsTls, message.Id);
                break;
            case LdapOperation.UnbindRequest:
                _busy = Busy.Unbound;
                break;
            default:
                if (_busy == Busy.LayerMayBegin) _busy = Busy.No; // it is not encrypted
                break;
        }

        return FrameFate.Pass;
    }

    private FrameFate OnResponse(LdapMessage message, Verdicts verdicts)
    {
        if (message.Id > _lowest)
        {
            if (message.Id == _search && message.Operation == LdapOperation.SearchDone)
                verdicts.Note(FlowEventKind.ProbeAnswered, $"result {message.ResultCode}", Leg.Upstream, Now - ProbedAt);
            return FrameFate.Swallow;
        }

        switch (message.Operation)
        {
            case LdapOperation.BindResponse when _busy == Busy.Binds && message.ResultCode != SaslBindInProgress:
                _busy = _bindMayAddLayer && message.ResultCode is 0 or null ? Busy.LayerMayBegin : Busy.No;
                break;
            case LdapOperation.ExtendedResponse when _busy == Busy.StartsTls && message.Id == _startTls:
                _startTls = 0;
                if (message.ResultCode is not (0 or null)) _busy = Busy.No;
                break;
            case LdapOperation.SearchEntry or LdapOperation.SearchReference or LdapOperation.IntermediateResponse:
                break;
            default:
                if (_busy == Busy.NothingAnsweredYet && message.Id != 0) _busy = Busy.No;
                break;
        }

        return FrameFate.Pass;
    }
}
