namespace KeepAlive.Protocols.Ftp;

/// <summary>What <see cref="FtpReplyReader.Read"/> found.</summary>
internal enum FtpReplyStep
{
    /// <summary>The input is used up.</summary>
    NeedMore,

    /// <summary>A reply begins: its code is known. The piece is its first bytes.</summary>
    Start,

    /// <summary>More of the same reply.</summary>
    Text,

    /// <summary>The last piece of the reply.</summary>
    End,

    /// <summary>This is no FTP reply. The piece is what was read of it; the input holds the rest.</summary>
    Doubt,
}

/// <summary>
/// Cuts the server's bytes into replies (RFC 959 4.2), holding back no more than the four bytes that decide.
/// </summary>
/// <remarks>
/// <code>
/// 226 text CR LF                      one line: code, space
/// 211-text CR LF  ...  211 text CR LF  many: ended by the same code and a space; what is between is anything
/// </code>
/// </remarks>
internal sealed class FtpReplyReader
{
    private const int PrefixLength = 4;

    private readonly byte[] _prefix = new byte[PrefixLength];
    private byte _prefixed;
    private bool _inLine;
    private bool _lastLine;
    private bool _lineEnded;

    /// <summary>The code of the reply being read; 0 between replies.</summary>
    public int Code { get; private set; }

    /// <summary>Bytes read but not yet given out, of a line whose first four are not there yet.</summary>
    public ReadOnlySpan<byte> Held => _prefix.AsSpan(0, _inLine ? 0 : _prefixed);

    public FtpReplyStep Read(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> piece)
    {
        if (_lineEnded) return EndLine([], out piece);
        if (_inLine)
        {
            if (input.IsEmpty)
            {
                piece = [];
                return FtpReplyStep.NeedMore;
            }

            int lf = input.IndexOf((byte)'\n');
            ReadOnlySpan<byte> part = lf < 0 ? input : input[..(lf + 1)];
            input = input[part.Length..];
            if (lf >= 0) return EndLine(part, out piece);
            piece = part;
            return FtpReplyStep.Text;
        }

        bool ended = false;
        while (_prefixed < PrefixLength && !ended && !input.IsEmpty)
        {
            ended = input[0] == (byte)'\n';
            _prefix[_prefixed++] = input[0];
            input = input[1..];
        }

        if (_prefixed < PrefixLength && !ended)
        {
            piece = [];
            return FtpReplyStep.NeedMore;
        }

        return BeginLine(ended, out piece);
    }

    /// <summary>What was held has been given out.</summary>
    public void Forget() => _prefixed = 0;

    private FtpReplyStep BeginLine(bool ended, out ReadOnlySpan<byte> piece)
    {
        piece = _prefix.AsSpan(0, _prefixed);
        int code = CodeOf(piece);
        byte separator = _prefixed == PrefixLength ? _prefix[3] : (byte)0;
        bool final = code != 0 && separator is (byte)' ' or (byte)'\r' or (byte)'\n';
        bool starts = Code == 0;
        if (starts && !final && (code == 0 || separator != (byte)'-')) return FtpReplyStep.Doubt;

        _lastLine = final && (starts || code == Code);
        if (starts) Code = code;
        _inLine = true;
        _lineEnded = ended;
        return starts ? FtpReplyStep.Start : FtpReplyStep.Text;
    }

    private FtpReplyStep EndLine(ReadOnlySpan<byte> part, out ReadOnlySpan<byte> piece)
    {
        piece = part;
        _inLine = _lineEnded = false;
        _prefixed = 0;
        if (!_lastLine) return FtpReplyStep.Text;
        Code = 0;
        return FtpReplyStep.End;
    }

    private static int CodeOf(ReadOnlySpan<byte> prefix)
    {
        if (prefix.Length < 3 || prefix[0] is < (byte)'1' or > (byte)'5') return 0;
        if (!char.IsAsciiDigit((char)prefix[1]) || !char.IsAsciiDigit((char)prefix[2])) return 0;
        return ((prefix[0] - '0') * 100) + ((prefix[1] - '0') * 10) + (prefix[2] - '0');
    }
}
