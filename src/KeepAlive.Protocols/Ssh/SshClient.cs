using KeepAlive.Core;

namespace KeepAlive.Protocols.Ssh;

/// <summary>The client's end: logs in, opens one channel if it is to, and then does nothing but answer and send keepalives.</summary>
internal sealed class SshClient : SshSession
{
    private readonly SshClientOptions _options;
    private readonly Queue<Func<SshWriter>> _ways = new();

    /// <summary>A client of a connection that is open.</summary>
    public SshClient(SshClientOptions options)
        : base(SshRole.Client, options, options?.Offer ?? throw new ArgumentNullException(nameof(options)), (agreement, transcript) => new SshClientExchange(agreement, transcript, options.TrustHostKey))
    {
        _options = options;
        if (options.Key is not null) _ways.Enqueue(ByKey);
        if (options.Password is not null) _ways.Enqueue(ByPassword);
        if (_ways.Count == 0) _ways.Enqueue(() => Request("none"));
    }

    private protected override void OnReady() => Transport.Send(SshWriter.Of(SshMessage.ServiceRequest).Text("ssh-userauth"));

    private protected override SshFault? TakeOwn(SshMessage message, ReadOnlySpan<byte> payload, Instant now)
    {
        var reader = new SshReader(payload[1..]);
        switch (message)
        {
            case SshMessage.ServiceAccept when !IsLoggedIn:
                return TryNext();
            case SshMessage.AuthBanner when !IsLoggedIn:
                Tell(SshEventKind.Notice, $"banner: {reader.Name()}");
                return null;
            case SshMessage.AuthFailure or SshMessage.AuthKeyFits when !IsLoggedIn: // the second: a password that must be changed first
                Tell(SshEventKind.LoginRefused, $"the server takes {(message == SshMessage.AuthFailure ? string.Join(", ", reader.Names()) : "another password")}");
                return TryNext();
            case SshMessage.AuthSuccess when !IsLoggedIn:
                OnLoggedIn(_options.User, now);
                if (_options.Subsystem is not null) OpenChannel();
                return null;
            case SshMessage.ChannelOpen:
                reader.Name();
                uint peer = reader.Number();
                if (reader.IsShort) return SshFault.Short(message);
                const uint Prohibited = 1; // RFC 4254 section 5.1
                Transport.Send(SshWriter.Of(SshMessage.ChannelRefused).Number(peer).Number(Prohibited).Text("a client takes no channels").Text(""));
                return null;
            default:
                return message is SshMessage.ServiceAccept or SshMessage.AuthBanner or SshMessage.AuthFailure or SshMessage.AuthSuccess or SshMessage.AuthRequest or SshMessage.ServiceRequest
                    ? SshFault.Protocol($"message {(byte)message} out of its place") : NotKnown;
        }
    }

    private protected override void OnOpened(SshChannel channel, Instant now)
    {
        uint? sequence = Transport.Send(SshWriter.Of(SshMessage.ChannelRequest).Number(channel.PeerId).Text("subsystem").Flag(true).Text(_options.Subsystem!));
        channel.Slots.Add(new SshReplySlot(SshAsked.Subsystem, now, sequence));
    }

    private void OpenChannel() =>
        Transport.Send(SshWriter.Of(SshMessage.ChannelOpen).Text("session").Number(AddChannel().Id).Number(SshChannel.WindowBytes).Number(SshChannel.PieceBytesMax));

    private SshFault? TryNext()
    {
        if (!_ways.TryDequeue(out Func<SshWriter>? way)) return new SshFault(SshReason.NoMoreAuthMethods, $"the server does not let '{_options.User}' in");
        Transport.Send(way());
        return null;
    }

    private SshWriter Request(string method) => SshWriter.Of(SshMessage.AuthRequest).Text(_options.User).Text("ssh-connection").Text(method);

    private SshWriter ByPassword() => Request("password").Flag(false).Text(_options.Password!);

    // RFC 4252 section 7: the signature is of the session's id and of the request itself.
    private SshWriter ByKey()
    {
        SshPublicKey key = _options.Key!.Public;
        string algorithm = key.Kind == "ssh-rsa" ? "rsa-sha2-512" : key.Kind;
        SshWriter request = Request("publickey").Flag(true).Text(algorithm).Text(key.Blob);
        SshWriter signed = new SshWriter().Text(Transport.SessionId!).Raw(request.Bytes);
        return request.Text(_options.Key.Sign(algorithm, signed.Bytes));
    }
}
