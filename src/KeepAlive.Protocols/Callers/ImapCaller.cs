using KeepAlive.Protocols.Imap;

namespace KeepAlive.Protocols.Callers;

/// <summary>Logs in to IMAP (RFC 9051 section 6.2.3). Where nobody is named it asks NOOP by itself, which is answered before login too.</summary>
internal sealed class ImapCaller(CallDetails call) : LineCaller
{
    private bool _isGreeted;

    /// <inheritdoc/>
    public override ProofOfLife Proof => call.User is null ? ProofOfLife.Question : ProofOfLife.Probe;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = "z LOGOUT\r\n"u8.ToArray();

    /// <inheritdoc/>
    public override string? Ask()
    {
        SayLine("b NOOP");
        return "NOOP";
    }

    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        (string tag, string word) = ImapLine.Read(line);
        if (!_isGreeted)
        {
            _isGreeted = true;
            if (tag != "*" || word is not ("OK" or "PREAUTH" or "BYE")) Surrender($"'{Text(line)}' is no greeting of IMAP");
            else if (word == "BYE") Refuse(Text(line));
            else if (word == "PREAUTH" || call.User is null) Open();
            else SayLine($"a LOGIN {Quoted(call.User)} {Quoted(call.Password ?? "")}");
        }
        else if (tag == "a")
        {
            if (word == "OK") Open();
            else Refuse(Text(line[2..]));
        }
        else if (tag == "b")
        {
            Answer(word);
        }
    }

    // Section 4.3: no line ends in it.
    private static string Quoted(string text) =>
        $"\"{text.ReplaceLineEndings("").Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
