using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Gateway.Epoll;
using KeepAlive.Gateway.Tls;
using KeepAlive.Gateway.Tuning;
using KeepAlive.Protocols.Proxy;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>
/// One flow, from a client accepted to both legs closed: the upstream leg is connected, the two are relayed plainly, and
/// one that dies takes the other with it. Its monitor is the lock of all it owns.
/// </summary>
/// <remarks>
/// <code>
/// Open ─ connected ─▶ Connected ─▶ Wire relays ─┬ OnDone ──────────────▶ Finish
///   └ refused, timed out ─▶ Refuse              └ OnFailed, Look, Abort ─▶ Die ─▶ Finish
/// </code>
/// An idle flow is this object, its <see cref="Wire"/>, its <see cref="Core.Flow"/> and a place in the clock; nothing else.
/// </remarks>
internal class FlowRelay : IWireOwner, ITimed
{
    private readonly FlowClock _clock;
    private readonly ScheduleEntry _alarm;
    private SendWatch _toDownstream;
    private SendWatch _toUpstream;
    private Instant _look = Instant.Never;
    private FlowEvent? _death;
    private State _state = State.Opening;

    private enum State : byte
    {
        Opening,
        Relaying,
        Over,
    }

    public FlowRelay(Flow flow, FlowSetting setting)
    {
        (Flow, Setting) = (flow, setting);
        _clock = setting.Clock ?? EpollLoop.Next().Clock;
        _alarm = _clock.Add(this); // last: nothing after it can fail and leave it there
    }

    public Flow Flow { get; }

    /// <summary>Null until there are two sockets to relay.</summary>
    public Wire? Wire { get; private set; }

    /// <summary>Read by anyone at any time: each fact is true, all of them together nearly.</summary>
    public FlowFacts Facts => new(Flow.Id, Heard(Leg.Downstream), Heard(Leg.Upstream), Flow.Received(Leg.Downstream), Flow.Received(Leg.Upstream), Relayed, Unanswered);

    protected FlowSetting Setting { get; }

    /// <summary>When bytes last went from one end to the other.</summary>
    protected virtual Instant Relayed => Instant.Max(Heard(Leg.Downstream), Heard(Leg.Upstream));

    /// <summary>Probes of the protocol out without an answer.</summary>
    protected virtual int Unanswered => 0;

    /// <summary>The kernel's own probes.</summary>
    public FlowKernelProbes AskKernel()
    {
        lock (this)
        {
            bool isOpen = _state == State.Relaying;
            return new FlowKernelProbes(Flow.Id, isOpen ? Wire!.Contact(Leg.Downstream)?.UnansweredProbes ?? 0 : 0, isOpen ? Wire!.Contact(Leg.Upstream)?.UnansweredProbes ?? 0 : 0);
        }
    }

    /// <summary>Connects an accepted descriptor to an address, by Linux's engine.</summary>
    public void Open(int client, IPEndPoint to)
    {
        lock (this)
        {
            int server = Setting.NewUpstream(to.AddressFamily, out SocketError fault);
            if (server < 0)
            {
                Refuse(new Socket(new SafeSocketHandle(client, ownsHandle: true)), Setting.Failed(fault));
                return;
            }

            Setting.KeepAlive.Accept(client, Flow.Id);
            Setting.KeepAlive.Apply(server, Leg.Upstream, Flow.Id);
            var wire = new EpollWire(client, server, this, Flow);
            Wire = wire;
            if (Setting.Options.Paths is not null) JoinPaths(SockAddr.Of(client, isPeer: true), to);
            if (wire.Connect(to) is not SocketError.Success and var error) OnFailed(Leg.Upstream, RelayCall.Connect, error);
            else _clock.Arm(_alarm, Flow.Opened + Setting.Options.ConnectTimeout);
        }
    }

    /// <summary>Connects an accepted socket to a server by name, by the portable engine, or with something to come before the bytes.</summary>
    public async Task OpenAsync(Socket client)
    {
        var near = new SocketLeg(client);
        SocketLeg? far = null;
        try
        {
            client.NoDelay = true;
            ProxyHeader? announced = await Setting.Opening.AnnounceAsync(client).ConfigureAwait(false);
            if (announced is not null)
            {
                if (announced.Source is { } source) Announce(source.Address);
                Emit(FlowEventKind.Opened, $"{announced.Source ?? client.RemoteEndPoint} to {Setting.ToText}, by the proxy {client.RemoteEndPoint}");
            }

            near = await Setting.Opening.AcceptAsync(client).ConfigureAwait(false);
            far = new SocketLeg(await Setting.Dialer.DialAsync(Setting.Options.To, Setting.Stopping).ConfigureAwait(false));
            far = await Setting.Opening.ReachAsync(far.Socket, client, announced, Flow.Id).ConfigureAwait(false);
            lock (this)
            {
                Setting.KeepAlive.Apply(client, Leg.Downstream, Flow.Id);
                Setting.KeepAlive.Apply(far.Socket, Leg.Upstream, Flow.Id);
                if (_state != State.Opening) throw new OperationCanceledException(FlowTexts.Stopping);
                string name = $"{far.Socket.RemoteEndPoint}{(far is TlsLeg tls ? $", {tls.Version}" : "")}";
                IPEndPoint? nearEnd = client.RemoteEndPoint as IPEndPoint, farEnd = far.Socket.RemoteEndPoint as IPEndPoint; // the wire takes the sockets
                Wire = Wire.Join(near, far, this, Flow, Setting.Options.Engine);
                JoinPaths(nearEnd, farEnd);
                Connected(name);
            }
        }
        catch (DialException e)
        {
            lock (this) Refuse(near, Leg.Upstream, e.Message, Setting.Options.Protocol.Refusal);
        }
        catch (OpeningException e)
        {
            far?.Socket.CloseOrderly(); // what TLS had to say to it is on its way
            lock (this) Refuse(near, e.Leg, e.Message, e.Leg == Leg.Downstream ? default : e.Words ?? Setting.Options.Protocol.Refusal);
        }
        catch (Exception e)
        {
            // Stopped, gone already, or a fault of ours, which costs this flow alone.
            far?.Close();
            near.Reset();
            lock (this) NeverBegun(e.Message);
        }
    }

    /// <summary>Ends it if its server is not connected yet.</summary>
    public void StopOpening(string why)
    {
        lock (this)
        {
            // Without a wire it is being dialled: FlowSetting.Stopping ends that.
            if (_state == State.Opening) NeverBegun(why);
        }
    }

    /// <summary>Ends both legs at once, with a reset.</summary>
    public virtual void Abort(DeathReason reason, string why)
    {
        lock (this)
        {
            StopOpening(why);
            Die(Leg.Downstream, reason, why);
        }
    }

    /// <summary>A leg's kernel keepalive from now on.</summary>
    public void Keep(Leg leg, KeepAlivePolicy policy)
    {
        lock (this)
        {
            Wire?.Keep(leg, policy, Setting.KeepAlive.Timeout);
            if (_state == State.Relaying) _look = Instant.Min(_look, MonotonicClock.Now + LookEvery());
            Rearm();
        }
    }

    /// <summary>Gives it the policy of its gateway that is in force. One that is still opening asks for that by itself.</summary>
    public void Renew()
    {
        lock (this)
        {
            if (_state == State.Over || Wire is null) return;
            foreach (Leg leg in (ReadOnlySpan<Leg>)[Leg.Downstream, Leg.Upstream]) Wire.Renew(leg, Setting.KeepAlive);
            if (_state != State.Relaying) return;
            _look = Instant.Min(_look, MonotonicClock.Now + LookEvery()); // which finds out when the next is
            Renewed(MonotonicClock.Now);
            Rearm();
        }
    }

    public void OnDeadline(Instant now)
    {
        lock (this)
        {
            if (_state == State.Opening) Refuse(((EpollWire)Wire!).TakeBack(), Setting.TimedOut());
            else if (_state == State.Relaying && (now < _look || Look(now))) OnDeadlineOf(now);
        }
    }

    public virtual void OnFault(Exception fault) => Abort(DeathReason.Failed, FlowTexts.Fault(fault));

    void IWireOwner.OnConnected() => Connected(Setting.ToText);

    public virtual void OnReceived(Leg from, ReadOnlySpan<byte> bytes, Instant now) => throw new InvalidOperationException("a plain wire hands over no bytes");

    public virtual bool IsHolding(Leg from) => false;

    public virtual void OnEnded(Leg from)
    {
        if (Wire!.IsCutOff(from)) Emit(FlowEventKind.Notice, "ended without TLS's close_notify: its FIN is passed on, and may be somebody else's", from);
        Wire.End(from.Other());
        if (_state != State.Relaying) return;
        _look = Instant.Min(_look, MonotonicClock.Now + Setting.KeepAlive.EndedLook);
        Rearm();
    }

    void IWireOwner.OnDone() => Finish();

    public void OnFailed(Leg leg, RelayCall call, SocketError error)
    {
        if (call == RelayCall.Connect)
        {
            Refuse(((EpollWire)Wire!).TakeBack(), Setting.Failed(error));
            return;
        }

        // What a path or a peer ends a flow with that was silent for too long; the others are faults nearer to us.
        TuneStep? step = error is SocketError.TimedOut or SocketError.ConnectionReset ? Broke(leg, error, Instant.Zero, MonotonicClock.Now) : null;
        Die(leg, RelayFailure.ReasonOf(error), RelayFailure.Describe(call, error));
        Tell(step, leg);
    }

    void IWireOwner.OnFault(Leg leg, Exception fault)
    {
        StopOpening(FlowTexts.Fault(fault));
        Die(leg, DeathReason.Failed, FlowTexts.Fault(fault));
    }

    /// <summary>The client's own address, as the proxy before us says.</summary>
    protected virtual void Announce(IPAddress client)
    {
    }

    /// <summary>Both legs are there: the wire is to be started.</summary>
    protected virtual void Start(Instant now) => Wire!.Start(isPlain: true);

    /// <summary>When <see cref="OnDeadlineOf"/> is wanted.</summary>
    protected virtual Instant DeadlineOf() => Instant.Never;

    /// <summary>The clock has come to what was asked for, or to something else: both peers are there still.</summary>
    protected virtual void OnDeadlineOf(Instant now) => Rearm();

    /// <summary>The wire is closed, or to be; <see cref="Gone"/> ends it all.</summary>
    protected virtual void Finish()
    {
        Wire!.Close();
        Gone();
    }

    /// <summary>Its legs have the policy in force, probes and data connections not yet.</summary>
    protected virtual void Renewed(Instant now)
    {
    }

    /// <summary>Data connections have peers, too.</summary>
    protected virtual void LookAtData(Instant now)
    {
    }

    /// <summary>The flow is over: told, and forgotten.</summary>
    protected void Gone()
    {
        if (_state == State.Over) return;
        _state = State.Over;
        if (_death is not null) Setting.Emit(_death);
        Emit(FlowEventKind.Closed, $"{Flow.Received(Leg.Downstream)} bytes up, {Flow.Received(Leg.Upstream)} bytes down", took: MonotonicClock.Now - Flow.Opened);
        Leave();
    }

    protected bool IsDead => _death is not null;

    protected void Rearm()
    {
        if (_state == State.Relaying && _death is null) _clock.Arm(_alarm, Instant.Min(_look, DeadlineOf()));
    }

    // When one leg dies the other is closed the way it died. Whoever comes second is its consequence.
    protected void Die(Leg leg, DeathReason reason, string why)
    {
        if (_state != State.Relaying || _death is not null) return;
        Instant now = MonotonicClock.Now;
        TimeSpan silence = Flow.Silence(leg, now);
        _death = new FlowEvent(Flow.Id, now, FlowEventKind.Died, $"{why}; silent for {Duration.Format(FlowTexts.Round(silence))}") { Leg = leg, Reason = reason, Took = silence };
        Wire!.Reset();
        Finish();
    }

    protected void Emit(FlowEventKind kind, string text, Leg? leg = null, TimeSpan? took = null) =>
        Setting.Emit(new FlowEvent(Flow.Id, MonotonicClock.Now, kind, text) { Leg = leg, Took = took });

    private void Connected(string server)
    {
        Instant now = MonotonicClock.Now;
        _state = State.Relaying;
        _look = now + LookEvery();
        Emit(FlowEventKind.Connected, server, Leg.Upstream, now - Flow.Opened);
        Start(now);
        Rearm();
    }

    // Whether both peers still acknowledge what is sent to them, and one that has ended is still there.
    private bool Look(Instant now)
    {
        bool unread = Wire!.IsUnread(Leg.Downstream) || Wire.IsUnread(Leg.Upstream);
        _look = now + (unread ? Setting.KeepAlive.EndedLook : LookEvery());
        LookAtData(now);
        LookAtPaths(now);
        return !IsFoundDead(Leg.Downstream, ref _toDownstream, now) && !IsFoundDead(Leg.Upstream, ref _toUpstream, now);
    }

    private bool IsFoundDead(Leg leg, ref SendWatch watch, Instant now)
    {
        TimeSpan? bound = BoundOf(leg);
        if (bound is null) watch.Rest();
        bool isUnanswered = bound is { } within && watch.IsOwed(Flow.Received(leg.Other())) && watch.IsDead(Wire!.Contact(leg), within, now);
        (DeathReason Reason, string Text)? death = isUnanswered ? (DeathReason.Unacknowledged, $"nothing sent to it was acknowledged for {Duration.Format(bound!.Value)}") : Wire!.DeathUnread(leg);
        if (death is not { } found) return false;
        TuneStep? step = isUnanswered ? Broke(leg, SocketError.TimedOut, watch.OwedSince, now) : null;
        Die(leg, found.Reason, found.Text);
        Tell(step, leg);
        return true;
    }

    private TimeSpan? BoundOf(Leg leg) => Setting.KeepAlive.SendBound is { } common ? Setting.Options.Paths?.PolicyOf(this, leg)?.DetectionTime ?? common : null;

    private TimeSpan LookEvery()
    {
        if (Setting.Options.Paths is not { } paths || (Setting.KeepAlive.SendBound is null && !paths.Tunes)) return Setting.KeepAlive.SendLook;
        TimeSpan common = (Setting.KeepAlive.Policy.Tcp.Policy ?? KeepAlivePolicy.Default).DetectionTime;
        TimeSpan downstream = paths.PolicyOf(this, Leg.Downstream)?.DetectionTime ?? common, upstream = paths.PolicyOf(this, Leg.Upstream)?.DetectionTime ?? common;
        return LegKeepAlive.LookEvery(downstream < upstream ? downstream : upstream);
    }

    private void JoinPaths(IPEndPoint? client, IPEndPoint? server)
    {
        if (Setting.Options.Paths is not { } paths) return;
        Joined joined = paths.Join(this, client, server, MonotonicClock.Now);
        KeepAlivePolicy? common = Setting.KeepAlive.Policy.Tcp.Policy; // which they have already
        if (joined.Downstream is { } down && down != common) Keep(Leg.Downstream, down);
        if (joined.Upstream is { } up && up != common) Keep(Leg.Upstream, up);
        if (joined.DownstreamNews is { } downNews) Emit(FlowEventKind.Notice, downNews, Leg.Downstream);
        if (joined.UpstreamNews is { } upNews) Emit(FlowEventKind.Notice, upNews, Leg.Upstream);
    }

    private void LookAtPaths(Instant now)
    {
        if (Setting.Options.Paths is not { Tunes: true } paths) return;
        foreach (Leg leg in (ReadOnlySpan<Leg>)[Leg.Downstream, Leg.Upstream]) Tell(paths.OnLook(this, leg, Wire!.Contact(leg), now), leg);
    }

    // Before it is closed: its times are gone then.
    private TuneStep? Broke(Leg leg, SocketError error, Instant owed, Instant now)
    {
        if (_state != State.Relaying || _death is not null || Setting.Options.Paths is not { Tunes: true } paths) return null;
        Instant Said(Leg by) => new(now.Ticks - Flow.Silence(by, now).Ticks);
        var silence = IdleSilence.Of(Said(leg), Wire!.LastContact(leg), Said(leg.Other()), owed, now);
        return paths.OnBroken(this, leg, silence with { IsAsked = silence.IsAsked || error == SocketError.TimedOut });
    }

    private void Tell(TuneStep? step, Leg leg)
    {
        if (step is not null) Emit(step.Kind, step.Text, leg);
    }

    private void Refuse(Socket client, string why) => Refuse(new SocketLeg(client), Leg.Upstream, why, Setting.Options.Protocol.Refusal);

    private void Refuse(SocketLeg client, Leg leg, string why, ReadOnlyMemory<byte> words)
    {
        Refusal.Send(client, words);
        if (_state == State.Over) return;
        _state = State.Over;
        Emit(FlowEventKind.Refused, why, leg);
        Leave();
    }

    private void NeverBegun(string why)
    {
        Wire?.Reset();
        if (_state == State.Over) return;
        _state = State.Over;
        Emit(FlowEventKind.Refused, $"ended before it began: {why}");
        Leave();
    }

    private void Leave()
    {
        _clock.Remove(_alarm);
        Setting.Options.Paths?.Leave(this);
        Setting.Flows.Remove(this);
    }

    private Instant Heard(Leg leg) => Instant.Zero + (TimeSpan.Zero - Flow.Silence(leg, Instant.Zero));
}
