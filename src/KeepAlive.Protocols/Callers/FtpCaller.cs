using KeepAlive.Protocols.Mail;

namespace KeepAlive.Protocols.Callers;

/// <summary>Logs in to FTP (RFC 959 section 5.4), as anonymous (RFC 1635) where nobody is named: servers take few commands before.</summary>
internal sealed class FtpCaller(CallDetails call) : LineCaller
{
    private Step _step;
    private bool _isInReply;

    private enum Step : byte
    {
        Greeting,
        User,
        Password,
        In,
    }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = "QUIT\r\n"u8.ToArray();

    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        // The lines of a reply before its last begin with a code and a hyphen, or with anything.
        int code = ReplyCode.Read(line, out bool isMore);
        if (_step == Step.Greeting && code == 0 && line is not [(byte)' ', ..] && !_isInReply) Surrender($"'{Text(line)}' is no reply of FTP");
        if (isMore) _isInReply = true;
        if (code < 200 || isMore) return;
        _isInReply = false;
        switch (_step, code)
        {
            case (Step.Greeting, 220):
                SayLine($"USER {call.User ?? "anonymous"}");
                _step = Step.User;
                break;
            case (Step.User, 331):
                SayLine($"PASS {call.Password ?? (call.User is null ? "keepalive@" : "")}");
                _step = Step.Password;
                break;
            case (Step.User or Step.Password, 230 or 232):
                _step = Step.In;
                Open();
                break;
            case (Step.In, _):
                break;
            default:
                Refuse(Text(line));
                break;
        }
    }
}
