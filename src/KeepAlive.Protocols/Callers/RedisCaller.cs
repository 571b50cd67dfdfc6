using System.Text;

namespace KeepAlive.Protocols.Callers;

/// <summary>Logs in to Redis where a password is given, and asks PING otherwise: what is answered without an error opens the call.</summary>
internal sealed class RedisCaller(CallDetails call) : LineCaller
{
    /// <inheritdoc/>
    public override void Begin()
    {
        string[] words = call.Password is not { } password ? ["PING"] : call.User is { Length: > 0 } user ? ["AUTH", user, password] : ["AUTH", password];
        Say(Encoding.ASCII.GetBytes($"*{words.Length}\r\n"));
        foreach (string word in words) SayLine($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}");
    }

    /// <inheritdoc/>
    protected override void OnLine(ReadOnlySpan<byte> line)
    {
        if (State != CallState.Opening) return;
        if (line is [(byte)'+', ..]) Open();
        else if (line is [(byte)'-', ..]) Refuse(Text(line[1..]));
        else Surrender($"'{Text(line)}' is no answer of Redis'");
    }
}
