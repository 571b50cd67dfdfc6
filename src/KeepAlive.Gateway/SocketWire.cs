using System.Buffers;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>The portable engine, and that of legs inside TLS: two tasks a flow that wait by zero-byte reads, so that an idle flow holds no buffer. The death of a
/// leg is met by reading or writing it, so while the other has no room it is only seen by asking.</summary>
internal sealed class SocketWire : Wire
{
    private const int BufferBytes = 64 * 1024;

    private readonly Side _downstream;
    private readonly Side _upstream;
    private TaskCompletionSource? _resumed;
    private bool _isClosed;

    public SocketWire(SocketLeg downstream, SocketLeg upstream, IWireOwner owner, Flow flow)
        : base(owner, flow) => (_downstream, _upstream) = (new Side(downstream), new Side(upstream));

    public override void Send(Leg to, ReadOnlySpan<byte> bytes, int urgentUpTo)
    {
        if (bytes.IsEmpty || _isClosed) return;
        Side side = Of(to);
        side.Waiting ??= new ArrayBufferWriter<byte>(bytes.Length);
        if (urgentUpTo > 0) side.UrgentUpTo = side.Waiting.WrittenCount + urgentUpTo;
        side.Waiting.Write(bytes);
        if (side.IsSending) return;
        side.IsSending = true;
        _ = SendWaitingAsync(to);
    }

    public override void End(Leg to)
    {
        Of(to).IsFinDue = true;
        if (!Of(to).IsSending) _ = SendFinAsync(to);
    }

    public override void Resume()
    {
        _resumed?.TrySetResult();
        _resumed = null;
    }

    public override void Close() => Close(reset: false);

    public override void Reset() => Close(reset: true);

    public override bool IsUnread(Leg leg) => !Of(leg).IsReading;

    public override bool IsCutOff(Leg leg) => Of(leg).Bytes.IsCutOff && !Of(leg.Other()).HasEnded;

    public override PeerContact? Contact(Leg leg) => _isClosed ? null : PeerContact.Read(Of(leg).Socket);

    public override PeerContact? LastContact(Leg leg) => _isClosed ? null : PeerContact.ReadLast(Of(leg).Socket);

    public override void Keep(Leg leg, KeepAlivePolicy policy, UserTimeout timeout)
    {
        if (!_isClosed) _ = KernelKeepAlive.Apply(Of(leg).Socket, KeepAliveSpec.Of(policy), timeout);
    }

    public override void Renew(Leg leg, LegKeepAlive keepAlive)
    {
        if (!_isClosed) keepAlive.Apply(Of(leg).Socket, leg, Flow.Id);
    }

    public override SocketError ErrorOf(Leg leg) =>
        _isClosed ? SocketError.Success : (SocketError)Of(leg).Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;

    public override IPAddress? Peer(Leg leg) => Plain(Of(leg).Peer.Address);

    public override IPAddress? Local(Leg leg) => Of(leg).Local.Address;

    protected override bool HasEnded(Leg leg) => Of(leg).HasEnded;

    protected override void Begin()
    {
        _ = PumpAsync(Leg.Downstream);
        _ = PumpAsync(Leg.Upstream);
    }

    private void Close(bool reset)
    {
        if (_isClosed) return;
        _isClosed = true;
        foreach (Side side in (Side[])[_downstream, _upstream])
        {
            if (reset) side.Bytes.Reset();
            else side.Bytes.Close();
        }

        Resume();
    }

    private async Task PumpAsync(Leg from)
    {
        Side source = Of(from), sink = Of(from.Other());
        try
        {
            while (await MayReadAsync(from).ConfigureAwait(false))
            {
                source.IsReading = true;
                await source.Bytes.ReceiveAsync(Memory<byte>.Empty).ConfigureAwait(false);
                source.IsReading = false;
                byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
                try
                {
                    int read = await source.Bytes.ReceiveAsync(buffer).ConfigureAwait(false);
                    if (!Take(from, buffer.AsSpan(0, read), out bool isPlain)) return;
                    if (isPlain) await sink.Bytes.SendAsync(buffer.AsMemory(0, read)).ConfigureAwait(false);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (RelayException e)
        {
            Fail(e.Call == RelayCall.Send ? from.Other() : from, e);
        }
        catch (Exception e)
        {
            lock (Owner)
            {
                if (!_isClosed) Owner.OnFault(from, e);
            }
        }
    }

    // False when there is nothing more to come; otherwise whether the bytes go on as they are, or are in the owner's hands.
    private bool Take(Leg from, ReadOnlySpan<byte> bytes, out bool isPlain)
    {
        lock (Owner)
        {
            isPlain = IsPlain;
            if (_isClosed) return false;
            if (bytes.IsEmpty)
            {
                Of(from).HasEnded = true;
                Owner.OnEnded(from);
                return false;
            }

            Instant now = MonotonicClock.Now;
            Flow.OnReceived(from, bytes.Length, now);
            if (!isPlain) Owner.OnReceived(from, bytes, now);
            return true;
        }
    }

    // A client that does not read what it is told is read no further, or its refusals would pile up here.
    private async ValueTask<bool> MayReadAsync(Leg from)
    {
        while (true)
        {
            Task resumed;
            lock (Owner)
            {
                if (_isClosed) return false;
                bool waits = Of(from.Other()).IsSending || (!IsPlain && ((from == Leg.Downstream && _downstream.IsSending) || Owner.IsHolding(from)));
                if (!waits) return true;
                resumed = (_resumed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await resumed.ConfigureAwait(false);
        }
    }

    private async Task SendWaitingAsync(Leg to)
    {
        SocketLeg leg = Of(to).Bytes;
        try
        {
            while (TakeWaiting(to, out ReadOnlyMemory<byte> bytes, out int urgentUpTo))
            {
                if (urgentUpTo > 0) await leg.SendUrgentAsync(bytes[..urgentUpTo]).ConfigureAwait(false);
                if (urgentUpTo < bytes.Length) await leg.SendAsync(bytes[urgentUpTo..]).ConfigureAwait(false);
            }
        }
        catch (RelayException e)
        {
            Fail(to, e);
        }
    }

    private bool TakeWaiting(Leg to, out ReadOnlyMemory<byte> bytes, out int urgentUpTo)
    {
        lock (Owner)
        {
            Side side = Of(to);
            (bytes, urgentUpTo) = (side.Waiting?.WrittenMemory ?? default, side.UrgentUpTo);
            (side.Waiting, side.UrgentUpTo) = (null, 0);
            side.IsSending = !bytes.IsEmpty && !_isClosed;
            if (side.IsSending) return true;
            if (side.IsFinDue && !_isClosed) _ = SendFinAsync(to);
            Resume();
            return false;
        }
    }

    // A bare leg's is sent when this returns; inside TLS a word goes before it.
    private async Task SendFinAsync(Leg to)
    {
        try
        {
            await Of(to).Bytes.EndAsync().ConfigureAwait(false);
            lock (Owner)
            {
                if (_isClosed) return;
                Of(to).IsFinSent = true;
                if (_downstream.IsFinSent && _upstream.IsFinSent) Owner.OnDone();
            }
        }
        catch (Exception e)
        {
            lock (Owner) Owner.OnFault(to, e);
        }
    }

    private void Fail(Leg leg, RelayException e)
    {
        lock (Owner)
        {
            if (!_isClosed) Owner.OnFailed(leg, e.Call, e.Error);
        }
    }

    private Side Of(Leg leg) => leg == Leg.Downstream ? _downstream : _upstream;

    private sealed class Side(SocketLeg leg)
    {
        public SocketLeg Bytes { get; } = leg;

        public Socket Socket => Bytes.Socket;

        public IPEndPoint Peer { get; } = (IPEndPoint)leg.Socket.RemoteEndPoint!;

        public IPEndPoint Local { get; } = (IPEndPoint)leg.Socket.LocalEndPoint!;

        public ArrayBufferWriter<byte>? Waiting { get; set; }

        public int UrgentUpTo { get; set; }

        public bool IsSending { get; set; }

        public bool IsReading { get; set; }

        public bool IsFinDue { get; set; }

        public bool IsFinSent { get; set; }

        public bool HasEnded { get; set; }
    }
}
