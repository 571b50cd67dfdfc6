using System.Buffers;
using System.Net;
using System.Net.Sockets;
using KeepAlive.Core;
using KeepAlive.Sockets;

namespace KeepAlive.Gateway;

/// <summary>The portable engine: two tasks a flow that wait by zero-byte reads, so that an idle flow holds no buffer. The death of a
/// leg is met by reading or writing it, so while the other has no room it is only seen by asking.</summary>
internal sealed class SocketWire : Wire
{
    private const int BufferBytes = 64 * 1024;

    private readonly Side _downstream;
    private readonly Side _upstream;
    private TaskCompletionSource? _resumed;
    private bool _isClosed;

    public SocketWire(Socket downstream, Socket upstream, IWireOwner owner, Flow flow)
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
        if (!Of(to).IsSending) SendFin(to);
    }

    public override void Resume()
    {
        _resumed?.TrySetResult();
        _resumed = null;
    }

    public override void Close() => Close(reset: false);

    public override void Reset() => Close(reset: true);

    public override bool IsUnread(Leg leg) => !Of(leg).IsReading;

    public override PeerContact? Contact(Leg leg) => _isClosed ? null : PeerContact.Read(Of(leg).Socket);

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
            if (reset) side.Socket.Reset();
            else side.Socket.Dispose();
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
                await SocketIO.ReadableAsync(source.Socket).ConfigureAwait(false);
                source.IsReading = false;
                byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
                try
                {
                    int read = await SocketIO.ReceiveAsync(source.Socket, buffer).ConfigureAwait(false);
                    if (!Take(from, buffer.AsSpan(0, read), out bool isPlain)) return;
                    if (isPlain) await SocketIO.SendAllAsync(sink.Socket, buffer.AsMemory(0, read), SocketFlags.None).ConfigureAwait(false);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (RelayException e)
        {
            Fail(e.Call == RelayCall.Receive ? from : from.Other(), e);
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
        Socket socket = Of(to).Socket;
        try
        {
            while (TakeWaiting(to, out ReadOnlyMemory<byte> bytes, out int urgentUpTo))
            {
                if (urgentUpTo > 0)
                {
                    // The urgent byte by itself, so that no part of what precedes it can be taken for it.
                    await SocketIO.SendAllAsync(socket, bytes[..(urgentUpTo - 1)], SocketFlags.None).ConfigureAwait(false);
                    await SocketIO.SendAllAsync(socket, bytes[(urgentUpTo - 1)..urgentUpTo], SocketFlags.OutOfBand).ConfigureAwait(false);
                }

                await SocketIO.SendAllAsync(socket, bytes[urgentUpTo..], SocketFlags.None).ConfigureAwait(false);
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
            if (side.IsFinDue && !_isClosed) SendFin(to);
            Resume();
            return false;
        }
    }

    private void SendFin(Leg to)
    {
        try
        {
            Of(to).Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // A leg that is gone needs none; the other direction's pump meets the same end and reports it.
        }

        Of(to).IsFinSent = true;
        if (_downstream.IsFinSent && _upstream.IsFinSent) Owner.OnDone();
    }

    private void Fail(Leg leg, RelayException e)
    {
        lock (Owner)
        {
            if (!_isClosed) Owner.OnFailed(leg, e.Call, e.Error);
        }
    }

    private Side Of(Leg leg) => leg == Leg.Downstream ? _downstream : _upstream;

    private sealed class Side(Socket socket)
    {
        public Socket Socket { get; } = socket;

        public IPEndPoint Peer { get; } = (IPEndPoint)socket.RemoteEndPoint!;

        public IPEndPoint Local { get; } = (IPEndPoint)socket.LocalEndPoint!;

        public ArrayBufferWriter<byte>? Waiting { get; set; }

        public int UrgentUpTo { get; set; }

        public bool IsSending { get; set; }

        public bool IsReading { get; set; }

        public bool IsFinDue { get; set; }

        public bool IsFinSent { get; set; }

        public bool HasEnded { get; set; }
    }
}
