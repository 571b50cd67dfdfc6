using KeepAlive.Core;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Protocols.Callers;

/// <summary>What a call needs beside who is called, where SSH is spoken.</summary>
internal sealed record SshCallDetails
{
    /// <summary>Where random bytes come from.</summary>
    public required SshRandom Random { get; init; }

    /// <summary>Judges the server's key: null where it is the one expected, else why not and what to do. Asked at each exchange of keys.</summary>
    public required Func<SshPublicKey, string?> Judge { get; init; }

    /// <summary>The algorithms; those of the keys that are expected first. Default all.</summary>
    public SshOffer Offer { get; init; } = SshOffer.Default;

    /// <summary>The user's key; null for none.</summary>
    public SshPrivateKey? Key { get; init; }

    /// <summary>The subsystem for which a channel is opened; null for no channel.</summary>
    public string? Subsystem { get; init; }

    /// <summary>The keepalive's name, <see cref="SshKeepAlive.OpenSshName"/> or <see cref="SshKeepAlive.ProFtpdName"/>.</summary>
    public string KeepAliveName { get; init; } = SshKeepAlive.OpenSshName;
}

/// <summary>
/// Logs in to SSH, opens a channel if it is to, and asks what nobody knows: on the channel, or else of the whole session. A whole
/// <see cref="SshClient"/> is inside, whose packets are what is said and heard.
/// </summary>
internal sealed class SshCaller : Caller, IDisposable
{
    // Whoever called keeps the time: when to ask, when to give up, how long a round trip was. The session has no limits of its own here.
    private static readonly Instant Now = Instant.Zero;

    private readonly SshClient _client;
    private readonly string _keepAliveName;
    private readonly bool _wantsChannel;
    private string? _distrust;
    private byte[]? _goodbye;
    private string _lastWords = "";

    public SshCaller(CallDetails call)
    {
        SshCallDetails ssh = call.Ssh ?? throw new ArgumentException("SSH is spoken: CallDetails.Ssh is needed", nameof(call));
        (_keepAliveName, _wantsChannel) = (ssh.KeepAliveName, ssh.Subsystem is not null);
        _client = new SshClient(new SshClientOptions
        {
            Random = ssh.Random,
            Offer = ssh.Offer,
            User = call.User ?? "",
            Password = call.Password,
            Key = ssh.Key,
            Subsystem = ssh.Subsystem,
            TrustHostKey = key => (_distrust = ssh.Judge(key)) is null,
        });
    }

    /// <inheritdoc/>
    public override ProofOfLife Proof => ProofOfLife.Question;

    /// <inheritdoc/>
    public override string? Peer => _client.PeerVersion;

    /// <inheritdoc/>
    public override string LastWords => _lastWords;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye
    {
        get
        {
            if (_goodbye is not null) return _goodbye;
            _client.Disconnect("ping is done");
            _goodbye = _client.Output.ToArray();
            _client.OnSent();
            return _goodbye;
        }
    }

    /// <inheritdoc/>
    public override void Begin()
    {
        _client.Begin(Now);
        Follow();
    }

    /// <inheritdoc/>
    public override void Hear(ReadOnlySpan<byte> bytes)
    {
        _client.Receive(bytes, Now);
        Follow();
    }

    /// <inheritdoc/>
    public override string? Ask()
    {
        string? asked = _client.Ask(_keepAliveName, Now);
        if (asked is null) NoMore($"{SshReplySlots.Max} keepalives were not replied to");
        Follow();
        return asked;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private void Follow()
    {
        Say(_client.Output.Span);
        _client.OnSent();
        while (_client.TryTakeEvent(out SshEvent? e))
        {
            if (e.Kind == SshEventKind.ProbeAnswered) Answer(e.Text);
            // A channel that is refused leaves the session, which is as good.
            if (e.Kind is SshEventKind.ChannelOpened or SshEventKind.ChannelClosed || (e.Kind == SshEventKind.LoggedIn && !_wantsChannel)) Open();
        }

        if (_client.End is { } end) OnEnd(end);
    }

    private void OnEnd(SshEnd end)
    {
        switch (end.Reason)
        {
            case SshReason.HostKeyNotVerifiable when end.IsOurs:
                Distrust(_distrust ?? end.Text);
                break;
            case SshReason.VersionNotSupported or SshReason.ProtocolError or SshReason.MacError when end.IsOurs:
                Surrender(end.Text);
                break;
            // It speaks SSH, and its words are its own: only what follows is not to be had.
            case var _ when State == CallState.Opening:
                Refuse(end.Text);
                break;
            default:
                _lastWords = end.Text;
                break;
        }
    }
}
