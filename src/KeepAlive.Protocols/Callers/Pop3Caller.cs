namespace KeepAlive.Protocols.Callers;

/// <summary>
/// Logs in to POP3 (RFC 1939 section 7). Where nobody is named it asks CAPA by itself (RFC 2449), which is answered before login too.
/// </summary>
internal sealed class Pop3Caller(CallDetails call) : LineCaller
{
    private Step _step;

    private enum Step : byte
    {
        Greeting,
        User,
        Password,
        In,
        Asked,
        InList,
    }

    /// <inheritdoc/>
    public override ProofOfLife Proof => call.User is null ? ProofOfLife.Question : ProofOfLife.Probe;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = "QUIT\r\n"u8.ToArray();

    /// <inheritdoc/>
    public override string? Ask()
    {
        SayLine("CAPA");
        _step = Step.Asked;
        return "CAPA";
    }

    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        bool isGood = line.StartsWith("+OK"u8);
        switch (_step)
        {
            case Step.Greeting when !isGood && !line.StartsWith("-ERR"u8):
                Surrender($"'{Text(line)}' is no greeting of POP3");
                break;
            case Step.Greeting or Step.User or Step.Password when !isGood:
                Refuse(Text(line));
                break;
            case Step.Greeting when call.User is null:
                _step = Step.In;
                Open();
                break;
            case Step.Greeting:
                SayLine($"USER {call.User}");
                _step = Step.User;
                break;
            case Step.User:
                SayLine($"PASS {call.Password}");
                _step = Step.Password;
                break;
            case Step.Password:
                _step = Step.In;
                Open();
                break;
            case Step.Asked:
                _step = isGood ? Step.InList : Step.In;
                if (!isGood) Answer(Text(line));
                break;
            case Step.InList when line is [(byte)'.']:
                _step = Step.In;
                Answer("+OK");
                break;
        }
    }
}
