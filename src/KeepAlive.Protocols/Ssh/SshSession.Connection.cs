using KeepAlive.Core;

namespace KeepAlive.Protocols.Ssh;

/// <content>The connection layer (RFC 4254): requests and channels, which both ends treat alike.</content>
internal abstract partial class SshSession
{
    private protected SshChannel AddChannel()
    {
        var channel = new SshChannel(_nextChannel++);
        _channels.Add(channel.Id, channel);
        return channel;
    }

    private protected int ChannelCount => _channels.Count;

    /// <summary>Sends what waits in a channel, as far as its window goes.</summary>
    private protected void Flush(SshChannel channel)
    {
        while (!channel.IsClosing && channel.NextPiece() is { } piece)
            Transport.Send(SshWriter.Of(SshMessage.ChannelData).Number(channel.PeerId).Text(piece));
    }

    private protected void Close(SshChannel channel)
    {
        if (channel.IsClosing) return;
        Transport.Send(SshWriter.Of(SshMessage.ChannelClose).Number(channel.PeerId));
        channel.IsClosing = true;
    }

    /// <summary>Bytes in a channel.</summary>
    private protected virtual SshFault? OnData(SshChannel channel, ReadOnlySpan<byte> data) => null;

    /// <summary>The peer will send no more in a channel.</summary>
    private protected virtual void OnEof(SshChannel channel)
    {
    }

    /// <summary>A request in a channel; whether it is granted.</summary>
    private protected virtual bool OnRequest(SshChannel channel, string name, ref SshReader fields) => false;

    /// <summary>The channel that we opened is open.</summary>
    private protected virtual void OnOpened(SshChannel channel, Instant now)
    {
    }

    private SshFault? Take(ReadOnlySpan<byte> payload, Instant now)
    {
        var message = (SshMessage)payload[0];
        if (message == SshMessage.Unimplemented) return TakeUnimplemented(payload, now);
        // RFC 4252 section 6: nothing of the connection before the login.
        if (message >= SshMessage.GlobalRequest && !IsLoggedIn) return SshFault.Protocol($"message {payload[0]} before the login");
        var reader = new SshReader(payload[1..]);
        SshFault? fault = message switch
        {
            SshMessage.GlobalRequest => TakeGlobalRequest(ref reader),
            SshMessage.RequestSuccess or SshMessage.RequestFailure => TakeReply(_slots.Take(), null, isGranted: message == SshMessage.RequestSuccess, now),
            SshMessage.ChannelOpened or SshMessage.ChannelRefused or (>= SshMessage.ChannelWindow and <= SshMessage.ChannelFailure) => TakeChannel(message, ref reader, now),
            _ => TakeOwn(message, payload, now),
        };
        if (ReferenceEquals(fault, NotKnown))
        {
            Transport.Send(SshWriter.Of(SshMessage.Unimplemented).Number(Transport.LastSequence));
            return null;
        }

        return fault ?? (reader.IsShort ? SshFault.Short(message) : null);
    }

    private SshFault? TakeGlobalRequest(ref SshReader reader)
    {
        string name = reader.Name();
        bool wantsReply = reader.Flag();
        if (reader.IsShort) return null; // the caller's fault to tell
        if (wantsReply) Transport.Send(SshWriter.Of(SshMessage.RequestFailure));
        Heard(name);
        return null;
    }

    private SshFault? TakeChannel(SshMessage message, ref SshReader reader, Instant now)
    {
        uint id = reader.Number();
        if (reader.IsShort) return null;
        if (!_channels.TryGetValue(id, out SshChannel? channel) || channel.IsOpen == (message is SshMessage.ChannelOpened or SshMessage.ChannelRefused))
            return SshFault.Protocol($"message {(byte)message} for channel {id}, which is not there");
        switch (message)
        {
            case SshMessage.ChannelOpened:
                uint peer = reader.Number(), window = reader.Number(), pieceMax = reader.Number();
                if (reader.IsShort) return null;
                channel.Open(peer, window, pieceMax);
                OnOpened(channel, now);
                return null;
            case SshMessage.ChannelRefused:
                uint reason = reader.Number();
                _channels.Remove(id);
                Tell(SshEventKind.ChannelClosed, $"refused ({reason}): {reader.Name()}");
                return null;
            case SshMessage.ChannelWindow:
                channel.Grow(reader.Number());
                Flush(channel);
                return null;
            case SshMessage.ChannelData:
                return TakeData(channel, reader.Text());
            case SshMessage.ChannelExtendedData:
                reader.Number(); // which stream; none is taken
                return TakeData(channel, reader.Text(), isExtended: true);
            case SshMessage.ChannelEof:
                OnEof(channel);
                return null;
            case SshMessage.ChannelClose:
                Close(channel);
                _channels.Remove(id);
                Tell(SshEventKind.ChannelClosed, $"channel {id}");
                return null;
            case SshMessage.ChannelRequest:
                return TakeRequest(channel, ref reader);
            default:
                return TakeReply(channel.Slots.Take(), channel, isGranted: message == SshMessage.ChannelSuccess, now);
        }
    }

    private SshFault? TakeData(SshChannel channel, ReadOnlySpan<byte> data, bool isExtended = false)
    {
        if (!channel.TryTake(data.Length, out uint grant)) return SshFault.Protocol($"{data.Length} bytes in channel {channel.Id}: more than its window or a packet allows");
        if (grant > 0 && !channel.IsClosing) Transport.Send(SshWriter.Of(SshMessage.ChannelWindow).Number(channel.PeerId).Number(grant));
        return isExtended || channel.IsClosing ? null : OnData(channel, data);
    }

    private SshFault? TakeRequest(SshChannel channel, ref SshReader reader)
    {
        string name = reader.Name();
        bool wantsReply = reader.Flag();
        if (reader.IsShort || channel.IsClosing) return null;
        bool isGranted = OnRequest(channel, name, ref reader);
        if (wantsReply) Transport.Send(SshWriter.Of(isGranted ? SshMessage.ChannelSuccess : SshMessage.ChannelFailure).Number(channel.PeerId));
        Heard(name);
        return null;
    }

    // A reply that nobody waits for is a sign of life and nothing else.
    private SshFault? TakeReply(SshReplySlot? slot, SshChannel? channel, bool isGranted, Instant now)
    {
        if (slot is not { } owed) return null;
        if (owed.Asked == SshAsked.KeepAlive)
        {
            Answered(owed, isGranted ? "success" : "failure", now);
            return null;
        }

        if (isGranted)
        {
            Tell(SshEventKind.ChannelOpened, $"channel {channel!.Id}");
            return null;
        }

        Tell(SshEventKind.ChannelClosed, "the subsystem was refused: the session goes on without a channel");
        Close(channel!);
        return null;
    }

    private SshFault? TakeUnimplemented(ReadOnlySpan<byte> payload, Instant now)
    {
        var reader = new SshReader(payload[1..]);
        uint sequence = reader.Number();
        if (reader.IsShort) return SshFault.Short(SshMessage.Unimplemented);
        SshReplySlot? slot = _slots.TakeUnimplemented(sequence);
        foreach (SshChannel channel in Channels) slot ??= channel.Slots.TakeUnimplemented(sequence);
        if (slot is { Asked: SshAsked.KeepAlive } owed) Answered(owed, "unimplemented", now);
        return null;
    }

    // Any name will do; these are the ones that have been seen.
    private void Heard(string name)
    {
        if (name.StartsWith("keepalive@", StringComparison.Ordinal)) Tell(SshEventKind.ProbeHeard, name);
    }
}
