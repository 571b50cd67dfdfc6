using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Callers;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary>How to ping.</summary>
/// <param name="Policy">When a probe is due, and when the server is dead.</param>
/// <param name="Count">How many probes.</param>
/// <param name="Idle">Silence before the first.</param>
/// <param name="Timeout">For the session to be ready.</param>
internal sealed record PingPlan(KeepAlivePolicy Policy, int Count, TimeSpan Idle, TimeSpan Timeout);

/// <summary>
/// A session with a server, opened by its <see cref="Caller"/> and probed by its <see cref="Protocol"/>, as in a gateway whose client
/// the caller is:
/// <code>
/// Caller ── says ──▶ Protocol ──▶ ServerLeg          Probe: when one is due, and when the server is dead
/// Caller ◀─ hears ── Protocol ◀── ServerLeg          probes go out of the protocol, their answers stay in it
/// </code>
/// </summary>
internal sealed class PingSession(ServerLeg leg, Protocol? protocol, Caller caller, PingPlan plan, PingReport report, PingTally tally)
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(5);
    private const int WithheldMax = 3;

    private readonly Verdicts _verdicts = new();
    private readonly KernelProbe _kernel = new(leg.Socket);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly Instant _begun = MonotonicClock.Now;
    private Phase _phase;
    private Probe _probe;
    private Instant _now;
    private Instant _silentSince;
    private bool _isSilenceBroken;
    private string? _plain;
    private int _withheld;
    private int _unansweredTold;

    private enum Phase : byte
    {
        Opening,
        Silent,
        Probing,
    }

    /// <summary>Called once, when the session is ready for probes; with how long that took.</summary>
    public Action<TimeSpan>? OnReady { get; init; }

    /// <summary>Pings.</summary>
    /// <param name="stop">Done when somebody wants an end.</param>
    public async Task<PingVerdict> RunAsync(Task stop)
    {
        try
        {
            PingVerdict verdict = await TalkAsync(stop).ConfigureAwait(false);
            TellUnanswered();
            if (verdict.Outcome == PingOutcome.Alive) await LeaveAsync().ConfigureAwait(false);
            return verdict;
        }
        catch (ServerLegException e)
        {
            TellUnanswered();
            return Broken(e);
        }
    }

    private async Task<PingVerdict> TalkAsync(Task stop)
    {
        _now = _begun;
        _kernel.Watch(); // a server that greets may be waited for without anything sent
        caller.Begin();
        await CarryOutAsync().ConfigureAwait(false);
        Task<int> reading = leg.ReceiveAsync(_buffer);
        while (true)
        {
            _now = MonotonicClock.Now;
            if (await OnTimeAsync().ConfigureAwait(false) is { } verdict) return verdict;
            await WaitAsync(Task.WhenAny(reading, stop), Deadline - _now).ConfigureAwait(false);
            _now = MonotonicClock.Now;
            if (reading.IsCompleted)
            {
                int read = await reading.ConfigureAwait(false);
                if (read == 0) return Ended();
                _probe.OnReceived(_now);
                _isSilenceBroken = true;
                Take(Leg.Upstream, _buffer.AsSpan(0, read));
                await CarryOutAsync().ConfigureAwait(false);
                reading = leg.ReceiveAsync(_buffer);
            }
            else if (stop.IsCompleted)
            {
                return tally.Answered > 0 && _probe.Unanswered == 0 ? Alive() : new PingVerdict(PingOutcome.Stopped, "stopped before there was a verdict");
            }
        }
    }

    private static async Task WaitAsync(Task what, TimeSpan wait)
    {
        using var over = new CancellationTokenSource();
        // Never early: a deadline that is not quite there would be waited for again and again.
        await Task.WhenAny(what, Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 0, int.MaxValue - 1)), over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
    }

    private Instant Deadline
    {
        get
        {
            Instant due = _phase switch
            {
                Phase.Opening => _begun + plan.Timeout,
                Phase.Silent => _silentSince + plan.Idle,
                _ => _probe.Deadline,
            };
            if (_phase == Phase.Probing && caller.Proof == ProofOfLife.Kernel && tally.Open.Count > 0) due = Instant.Min(due, _now + PollEvery);
            return Instant.Min(due, protocol?.Deadline ?? Instant.Never);
        }
    }

    private async Task<PingVerdict?> OnTimeAsync()
    {
        if (protocol is not null && _now >= protocol.Deadline)
        {
            protocol.OnDeadline(_now, _verdicts);
            await CarryOutAsync().ConfigureAwait(false);
        }

        if (caller.State == CallState.Refused) return new PingVerdict(PingOutcome.Alive, $"alive: it answers, but lets us no further: {caller.Why}");
        if (caller.State == CallState.Strange) return new PingVerdict(PingOutcome.Strange, $"something else is there: {caller.Why}: is it the right port?");
        if (caller.State == CallState.Distrusted) return new PingVerdict(PingOutcome.Strange, $"not trusted: {caller.Why}");
        if (protocol is { IsPlain: true }) return new PingVerdict(PingOutcome.Strange, $"the session cannot be probed: {_plain}");
        if (_phase == Phase.Opening)
        {
            if (caller.State == CallState.Ready) BeginSilence();
            else if (_now >= _begun + plan.Timeout) return Silent("no session was to be had");
        }

        if (_phase == Phase.Silent && _now >= _silentSince + plan.Idle) BeginProbing();
        return _phase == Phase.Probing ? await OnProbingAsync().ConfigureAwait(false) : null;
    }

    private void BeginSilence()
    {
        _kernel.Rest();
        OnReady?.Invoke(_now - _begun);
        (_phase, _silentSince, _isSilenceBroken) = (Phase.Silent, _now, false);
    }

    private void BeginProbing()
    {
        if (plan.Idle > TimeSpan.Zero) report.Silent(plan.Idle, _isSilenceBroken);
        // The first goes at once; the kernel's own not before there was silence.
        bool mustWait = caller.Proof == ProofOfLife.Kernel && plan.Idle < KernelProbe.IdleMin;
        (_phase, _probe) = (Phase.Probing, new Probe(plan.Policy, ProbeQuestion.PeerAlive, mustWait ? _now : _now + -plan.Policy.Idle));
    }

    private async Task<PingVerdict?> OnProbingAsync()
    {
        if (caller.Proof == ProofOfLife.Kernel && tally.Open is [.., var last] && _kernel.Acknowledged(_now - last.At) is { } roundTrip)
        {
            _probe.OnReceived(_now);
            _kernel.Rest();
            tally.Measure(roundTrip);
            report.Answered(tally.OnAnswered(_now - last.At, _now)!, "acknowledged", roundTrip);
        }

        if (tally.Sent == plan.Count && tally.Open.Count == 0) return Alive();
        switch (_probe.OnDeadline(_now))
        {
            case ProbeEffect.SendProbe when tally.Sent == plan.Count:
                return _probe.Unanswered > 0 ? Silent($"no answer to the last {Probes(_probe.Unanswered)}") : Alive();
            case ProbeEffect.SendProbe:
                TellUnanswered();
                return await SendAsync().ConfigureAwait(false);
            case ProbeEffect.GiveUp:
                return Silent(plan.Idle > TimeSpan.Zero && tally.Answered == 0
                    ? $"the path did not survive {Duration.Format(plan.Idle)} of silence"
                    : $"no answer to {Probes(_probe.Unanswered)}{(_probe.Unanswered > 1 ? " in a row" : "")}");
            default:
                return null;
        }
    }

    private async Task<PingVerdict?> SendAsync()
    {
        if (caller.Proof == ProofOfLife.Kernel)
        {
            _kernel.Send();
            OnSent("kernel keepalive");
            return null;
        }

        if (caller.Proof == ProofOfLife.Question)
        {
            if (caller.Ask() is not { } question) return new PingVerdict(PingOutcome.Alive, $"alive; no more is asked: {caller.Why}");
            OnSent(question);
        }
        else
        {
            ProbeAttempt attempt = protocol!.TryProbe(Leg.Upstream, _now, _verdicts);
            if (attempt.Outcome == ProbeOutcome.Sent)
            {
                OnSent(attempt.Text);
            }
            else
            {
                _probe.OnWithheld(_now);
                if (++_withheld >= WithheldMax) return new PingVerdict(PingOutcome.Alive, $"alive: it answers, but cannot be probed any more: {attempt.Text}");
            }
        }

        await CarryOutAsync().ConfigureAwait(false);
        return null;
    }

    private void OnSent(string text)
    {
        _withheld = 0;
        _probe.OnProbeSent(_now);
        tally.OnSent(text, _now);
    }

    private void Take(Leg from, ReadOnlySpan<byte> bytes)
    {
        if (protocol is null) _verdicts.Send(from.Other(), bytes);
        else protocol.OnReceived(from, bytes, _now, _verdicts);
    }

    // Until nobody has anything to say.
    private async Task CarryOutAsync()
    {
        while (true)
        {
            Take(Leg.Downstream, caller.Said);
            caller.Clear();
            byte[] toServer = _verdicts.BytesFor(Leg.Upstream).ToArray(), toCaller = _verdicts.BytesFor(Leg.Downstream).ToArray();
            foreach (Note note in _verdicts.Notes)
            {
                if (note is { Kind: FlowEventKind.ProbeAnswered, Leg: Leg.Upstream }) OnAnswered(note.Text, note.Took);
                if (note.Kind == FlowEventKind.PlainRelay) _plain = note.Text;
            }

            _verdicts.Clear();
            if (toServer.Length > 0) await leg.SendAsync(toServer).ConfigureAwait(false);
            caller.Hear(toCaller);
            while (caller.TakeAnswer() is { } answer) OnAnswered(answer, null);
            if (caller.Said.IsEmpty) return;
        }
    }

    private void OnAnswered(string answer, TimeSpan? took)
    {
        if (tally.OnAnswered(took, _now) is not { } sent) return;
        tally.Measure(_now - sent.At);
        report.Answered(sent, answer, _now - sent.At);
    }

    private void TellUnanswered()
    {
        if (tally.Open is not [.., var last] || last.Number <= _unansweredTold) return;
        _unansweredTold = last.Number;
        report.Unanswered(last, MonotonicClock.Now - last.At);
    }

    private PingVerdict Alive() => new(PingOutcome.Alive, caller.Proof == ProofOfLife.Kernel
        ? "alive, by its kernel's acknowledgments: whether the server itself would answer was not asked"
        : "alive");

    private PingVerdict Silent(string what) =>
        PingVerdict.Silent(PeerContact.Read(leg.Socket), _now - (_phase == Phase.Opening ? _begun : _probe.LastReceived), what);

    private PingVerdict Ended() => _phase switch
    {
        Phase.Opening => new(PingOutcome.Closed, "closed: the server ended the session before it could be probed"),
        Phase.Silent => new(PingOutcome.Closed, $"closed: the server ended the session after {PingVerdict.Seconds(_now - _silentSince)} of silence{LastWords}"),
        _ when caller.Why.Length > 0 && tally is { Answered: > 0, Open.Count: 0 } => new(PingOutcome.Alive, $"alive; no more is asked: {caller.Why}"),
        _ => new(PingOutcome.Closed, $"closed: the server ended the session, {PingVerdict.Seconds(_now - _probe.LastReceived)} after its last word{LastWords}"),
    };

    private string LastWords => caller.LastWords.Length > 0 ? $": '{caller.LastWords}'" : "";

    private PingVerdict Broken(ServerLegException e) => e.Error switch
    {
        SocketError.TimedOut => new(PingOutcome.Dead, $"dead: nothing acknowledged ({e.Message})"),
        SocketError.ConnectionReset or SocketError.Shutdown when _phase == Phase.Probing && plan.Idle > TimeSpan.Zero && tally.Answered == 0
            => new(PingOutcome.Refused, $"reset: the session did not survive {Duration.Format(plan.Idle)} of silence ({e.Message})"),
        SocketError.ConnectionReset or SocketError.Shutdown => new(PingOutcome.Refused, $"reset: {e.Message}"),
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => new(PingOutcome.Unreachable, $"unreachable: {e.Message}"),
        _ => new(PingOutcome.Closed, $"closed: {e.Message}"),
    };

    // A courtesy: who is gone by now was alive a moment ago.
    private async Task LeaveAsync()
    {
        try
        {
            if (caller.State == CallState.Ready && !caller.Goodbye.IsEmpty) await leg.SendAsync(caller.Goodbye).ConfigureAwait(false);
            await leg.EndAsync().ConfigureAwait(false);
        }
        catch (ServerLegException)
        {
            // Nobody waits for it.
        }
    }

    private static string Probes(int count) => count == 1 ? "probe" : $"{count} probes";
}
