using System.Globalization;
using System.Text;

namespace KeepAlive.Protocols.Callers;

/// <summary>Registers with IRC (RFC 2812 section 3.1) under a name of its own, unless one is given, and answers the server's PINGs.</summary>
internal sealed class IrcCaller(CallDetails call) : LineCaller
{
    private uint _nick = call.Seed;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> Goodbye { get; } = "QUIT\r\n"u8.ToArray();

    /// <inheritdoc/>
    public override void Begin()
    {
        if (call.Password is { } password) SayLine($"PASS {password}");
        SayLine($"NICK {call.User ?? Nick}");
        SayLine("USER keepalive 0 * :keepalive ping");
    }

    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        string text = Encoding.UTF8.GetString(line);
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is ["PING", ..]) SayLine($"PONG {text["PING".Length..].TrimStart()}");
        else if (words is ["ERROR", ..]) Refuse(Text(line));
        else if (words is [[':', ..], "001", ..]) Open();
        else if (words is [[':', ..], "433", ..] && call.User is null) TryNextNick();
        else if (words is [[':', ..], "432" or "433" or "464" or "465", ..]) Refuse(Text(line));
        else if (State == CallState.Opening && words is not [[':', ..], ..] and not ["NOTICE", ..] and not []) Surrender($"'{Text(line)}' is no message of IRC's");
    }

    // Nine letters are what every server takes (section 1.2.1).
    private string Nick => string.Create(CultureInfo.InvariantCulture, $"ka{_nick & 0xFFFFFF:x6}");

    private void TryNextNick()
    {
        _nick++;
        SayLine($"NICK {Nick}");
    }
}
