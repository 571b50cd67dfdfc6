using System.Globalization;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Framing;

namespace KeepAlive.Protocols.Irc;

/// <summary>IRC (RFC 1459, RFC 2812, modern.ircdocs.horse) with a PING of ours to the server and to the client, once it is registered.</summary>
/// <remarks>A PONG repeats the word of its PING (RFC 2812 section 3.7.3). Ours is of this flow: what repeats it is swallowed.</remarks>
internal sealed class IrcProtocol : LineProtocol
{
    private readonly string _word;
    private ProbeNumbers _toServer;
    private ProbeNumbers _toClient;
    private bool _isBegun;
    private bool _isRegistered;
    private bool _isEnding;

    /// <summary>A new connection.</summary>
    /// <param name="now">The time.</param>
    /// <param name="seed">For the words of our PINGs.</param>
    public IrcProtocol(Instant now, uint seed)
        : base(now) => _word = string.Create(CultureInfo.InvariantCulture, $"keepalive-{seed:x8}-");

    /// <inheritdoc/>
    public override bool CanProbe(Leg towards) => true;

    /// <inheritdoc/>
    protected override string? Doubt(Leg from, ReadOnlySpan<byte> start) => !_isBegun && start[0] == Tls.Handshake ? Tls.Why : null;

    /// <inheritdoc/>
    protected override FrameFate OnLine(Leg from, ReadOnlySpan<byte> line, Verdicts verdicts)
    {
        (string command, string[] words) = Read(line);
        if (command == "PONG" && words.Any(word => IsOurs(from, word, verdicts))) return FrameFate.Swallow;
        if (from == Leg.Downstream)
        {
            // SERVER and the like are servers' own, which keep their peers' time themselves.
            if (!_isBegun && command is not ("CAP" or "PASS" or "NICK" or "USER" or "WEBIRC" or "AUTHENTICATE" or "STARTTLS" or "PING" or "QUIT" or "")) Surrender("not a client of IRC's: not understood", verdicts);
            _isBegun |= command.Length > 0;
            _isEnding |= command == "QUIT";
        }
        else if (command == "001")
        {
            _isRegistered = true;
        }
        else if (command == "670")
        {
            Surrender("STARTTLS: encrypted from here, kernel keepalive only", verdicts);
        }

        _isEnding |= from == Leg.Upstream && command == "ERROR";
        return FrameFate.Pass;
    }

    /// <inheritdoc/>
    protected override string? WhyNot(Leg towards) => !_isRegistered ? "before the client is registered" : _isEnding ? "the session is ending" : null;

    /// <inheritdoc/>
    protected override ProbeAttempt Send(Leg towards, Verdicts verdicts)
    {
        verdicts.Send(towards, Encoding.ASCII.GetBytes($"PING :{_word}{Towards(towards).Next(Now).ToString(CultureInfo.InvariantCulture)}\r\n"));
        return new ProbeAttempt(ProbeOutcome.Sent, "PING");
    }

    // "@tags :who COMMAND word :last words": tags and who are passed over.
    private static (string Command, string[] Words) Read(ReadOnlySpan<byte> line)
    {
        string text = Encoding.Latin1.GetString(line);
        int last = text.IndexOf(" :", text is [':' or '@', ..] ? text.IndexOf(' ', StringComparison.Ordinal) + 1 : 0, StringComparison.Ordinal);
        List<string> words = [.. (last < 0 ? text : text[..last]).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        words.RemoveAll(word => word[0] is '@' or ':' && words.IndexOf(word) < 2);
        if (last >= 0) words.Add(text[(last + 2)..]);
        return words.Count == 0 ? ("", []) : (words[0].ToUpperInvariant(), [.. words.Skip(1)]);
    }

    private bool IsOurs(Leg from, string word, Verdicts verdicts)
    {
        if (!word.StartsWith(_word, StringComparison.Ordinal) || !uint.TryParse(word.AsSpan(_word.Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint number)) return false;
        if (!Towards(from).IsAnswered(number, Now, out TimeSpan? took)) return false;
        if (took is not null) verdicts.Note(FlowEventKind.ProbeAnswered, "PONG", from, took);
        return true;
    }

    private ref ProbeNumbers Towards(Leg leg) => ref leg == Leg.Upstream ? ref _toServer : ref _toClient;
}
