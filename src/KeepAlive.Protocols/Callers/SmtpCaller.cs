using System.Text;
using KeepAlive.Protocols.Mail;

namespace KeepAlive.Protocols.Callers;

/// <summary>Says EHLO to SMTP (RFC 5321 section 3.2), and logs in (RFC 4954, PLAIN) where somebody is named.</summary>
internal sealed class SmtpCaller(CallDetails call) : LineCaller
{
    // Of no machine there is, and of no other use (RFC 2606).
    private const string Name = "keepalive.invalid";

    private Step _step;

    private enum Step : byte
    {
        Greeting,
        Hello,
        Login,
        In,
    }

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = "QUIT\r\n"u8.ToArray();

    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        int code = ReplyCode.Read(line, out bool isMore);
        if (code == 0) Surrender($"'{Text(line)}' is no reply of SMTP");
        if (code == 0 || isMore) return;
        switch (_step, code)
        {
            case (Step.Greeting, 220):
                SayLine($"EHLO {Name}");
                _step = Step.Hello;
                break;
            case (Step.Hello, 250) when call.User is not null:
                SayLine($"AUTH PLAIN {Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{call.User}\0{call.Password}"))}");
                _step = Step.Login;
                break;
            case (Step.Hello, 250) or (Step.Login, 235):
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
