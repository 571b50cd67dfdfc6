using System.Text;
using KeepAlive.Core;

namespace KeepAlive.Protocols.Ssh;

/// <summary>The server's end: lets in whom it is told to, and holds sessions open. There is nothing to be had: a shell that says nothing, an SFTP without files.</summary>
internal sealed class SshServer : SshSession
{
    private const int RefusalsMax = 20; // RFC 4252 section 4
    private const string Greeting = "This session is held open by keepalive; nothing runs here. Ctrl-D ends it.\r\n";

    private readonly SshServerOptions _options;
    private int _refusals;
    private bool _hasService;
    private long _bytes;

    /// <summary>A server of a connection that was accepted.</summary>
    public SshServer(SshServerOptions options)
        : base(SshRole.Server, options, Offered(options), (agreement, transcript) => new SshServerExchange(agreement, transcript, options.HostKeys)) => _options = options;

    private protected override void OnReady()
    {
    }

    private protected override SshFault? TakeOwn(SshMessage message, ReadOnlySpan<byte> payload, Instant now)
    {
        var reader = new SshReader(payload[1..]);
        switch (message)
        {
            case SshMessage.ServiceRequest:
                string service = reader.Name();
                if (service != "ssh-userauth") return new SshFault(SshReason.ServiceNotAvailable, $"no service '{service}': only ssh-userauth is asked for here");
                _hasService = true;
                Transport.Send(SshWriter.Of(SshMessage.ServiceAccept).Text(service));
                return null;
            case SshMessage.AuthRequest when _hasService:
                return IsLoggedIn ? null : TakeLogin(payload, now); // RFC 4252 section 5.1: later ones are ignored
            case SshMessage.ChannelOpen:
                return TakeOpen(ref reader);
            default:
                return message is SshMessage.AuthRequest ? SshFault.Protocol("a login before ssh-userauth was asked for") : NotKnown;
        }
    }

    private protected override SshFault? OnData(SshChannel channel, ReadOnlySpan<byte> data)
    {
        if ((_bytes += data.Length) > _options.BytesMax) return new SshFault(SshReason.ByApplication, $"{_options.BytesMax} bytes are the most that a session may send");
        if (channel.Sftp is { } sftp)
        {
            var answers = new SshWriter();
            bool isSftp = sftp.TryReceive(data, answers);
            if (!channel.TryQueue(answers.Bytes)) return SshFault.Protocol("requests without end whose answers are not read");
            Flush(channel);
            if (!isSftp) Hang(channel);
        }
        else if (data.ContainsAny((byte)3, (byte)4)) // Ctrl-C, Ctrl-D
            Hang(channel);

        return null;
    }

    private protected override void OnEof(SshChannel channel) => Hang(channel);

    private protected override bool OnRequest(SshChannel channel, string name, ref SshReader fields)
    {
        switch (name)
        {
            case "pty-req":
                return true;
            case "shell":
                if (channel.TryQueue(Encoding.ASCII.GetBytes(Greeting))) Flush(channel);
                Tell(SshEventKind.ChannelOpened, $"channel {channel.Id}: shell");
                return true;
            case "subsystem" when fields.Text().SequenceEqual("sftp"u8):
                channel.Sftp ??= new SftpResponder();
                Tell(SshEventKind.ChannelOpened, $"channel {channel.Id}: sftp");
                return true;
            default:
                return false;
        }
    }

    // A server offers what its keys can sign.
    private static SshOffer Offered(SshServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] made = [.. options.Offer.HostKeys.Where(name => options.HostKeys.Any(key => key.Public.Makes(name)))];
        if (made.Length == 0) throw new ArgumentException($"none of the {options.HostKeys.Count} host keys can make a signature of {string.Join(", ", options.Offer.HostKeys)}", nameof(options));
        return options.Offer with { HostKeys = made };
    }

    private SshFault? TakeOpen(ref SshReader reader)
    {
        const uint UnknownType = 3, NoResource = 4; // RFC 4254 section 5.1
        string type = reader.Name();
        uint peer = reader.Number(), window = reader.Number(), pieceMax = reader.Number();
        if (reader.IsShort) return SshFault.Short(SshMessage.ChannelOpen);
        if (type != "session" || ChannelCount >= _options.ChannelsMax)
        {
            Transport.Send(SshWriter.Of(SshMessage.ChannelRefused).Number(peer).Number(type != "session" ? UnknownType : NoResource)
                .Text(type != "session" ? "only sessions are held here" : $"at most {_options.ChannelsMax} channels").Text(""));
            return null;
        }

        SshChannel channel = AddChannel();
        channel.Open(peer, window, pieceMax);
        Transport.Send(SshWriter.Of(SshMessage.ChannelOpened).Number(peer).Number(channel.Id).Number(SshChannel.WindowBytes).Number(SshChannel.PieceBytesMax));
        return null;
    }

    // As a program that ended well.
    private void Hang(SshChannel channel)
    {
        if (channel.IsClosing) return;
        Transport.Send(SshWriter.Of(SshMessage.ChannelRequest).Number(channel.PeerId).Text("exit-status").Flag(false).Number(0));
        Transport.Send(SshWriter.Of(SshMessage.ChannelEof).Number(channel.PeerId));
        Close(channel);
    }

    private SshFault? TakeLogin(ReadOnlySpan<byte> payload, Instant now)
    {
        var reader = new SshReader(payload[1..]);
        string user = reader.Name(), service = reader.Name(), method = reader.Name();
        if (reader.IsShort) return SshFault.Short(SshMessage.AuthRequest);
        if (service != "ssh-connection") return new SshFault(SshReason.ServiceNotAvailable, $"no service '{service}': only ssh-connection is to be had");
        SshFault? fault = null;
        bool isIn = method switch
        {
            "none" => _options.LetIn(new SshLogin(user, null, null)),
            "password" => !reader.Flag() && reader.Text() is var password && !reader.IsShort && _options.LetIn(new SshLogin(user, Encoding.UTF8.GetString(password), null)),
            "publickey" => TakeKey(user, payload, ref reader, out fault),
            _ => false,
        };
        if (fault is not null) return ReferenceEquals(fault, Asked) ? null : fault;
        if (isIn)
        {
            Transport.Send(SshWriter.Of(SshMessage.AuthSuccess));
            OnLoggedIn(user, now);
            return null;
        }

        if (++_refusals > RefusalsMax) return new SshFault(SshReason.NoMoreAuthMethods, $"{RefusalsMax} refusals are enough");
        if (method != "none") Tell(SshEventKind.LoginRefused, $"'{user}' by {method}");
        Transport.Send(SshWriter.Of(SshMessage.AuthFailure).Names(["publickey", "password"]).Flag(false));
        return null;
    }

    private static readonly SshFault Asked = new(SshReason.None, "");

    // RFC 4252 section 7: first asked whether the key would do, then with a signature of the session's id and of the request up to it.
    private bool TakeKey(string user, ReadOnlySpan<byte> payload, ref SshReader reader, out SshFault? fault)
    {
        fault = null;
        bool isSigned = reader.Flag();
        string algorithm = reader.Name();
        ReadOnlySpan<byte> blob = reader.Text();
        if (reader.IsShort || !SshPublicKey.TryRead(blob, out SshPublicKey? key) || !key.Makes(algorithm) || !_options.LetIn(new SshLogin(user, null, key))) return false;
        if (!isSigned)
        {
            if (++_refusals > RefusalsMax) return false; // asking is bounded like failing
            Transport.Send(SshWriter.Of(SshMessage.AuthKeyFits).Text(algorithm).Text(blob));
            fault = Asked;
            return false;
        }

        ReadOnlySpan<byte> signature = reader.Text();
        if (reader.IsShort) return false;
        ReadOnlySpan<byte> request = payload[..^(signature.Length + sizeof(uint))];
        return key.Verify(algorithm, signature, new SshWriter().Text(Transport.SessionId!).Raw(request).Bytes);
    }
}
