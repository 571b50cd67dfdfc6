using System.Globalization;

namespace KeepAlive.Paths.Reflect;

/// <summary>What a lane is asked to be: the words of LANE.</summary>
/// <param name="Session">The session's name.</param>
/// <param name="Lane">Its number, chosen by the client.</param>
/// <param name="SpeakAfter">The server says SPOKE after that much silence; zero for not before it is asked to.</param>
/// <param name="KeepAlive">Idle time and interval of the server's kernel keepalive; zero for none.</param>
/// <param name="SayEvery">The server sends a byte that often; zero for never.</param>
internal readonly record struct LaneRequest(string Session, int Lane, TimeSpan SpeakAfter, TimeSpan KeepAlive, TimeSpan SayEvery)
{
    // Below these, it would be a flood, and no kernel keepalive.
    private static readonly TimeSpan SayEveryMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan KeepAliveMin = TimeSpan.FromSeconds(1);

    public static bool TryParse(string[] words, out LaneRequest request)
    {
        request = default;
        if (words is not [PathProtocol.Greeting, "LANE", var session, var lane, var speak, var keepAlive, var say]) return false;
        if (!PathProtocol.IsNonce(session) || !TryNumber(lane, PathProtocol.LaneNumbers - 1, out long number)) return false;
        if (!TryTime(speak, out TimeSpan speakAfter) || !TryTime(keepAlive, out TimeSpan idle) || !TryTime(say, out TimeSpan every)) return false;
        if ((every != TimeSpan.Zero && every < SayEveryMin) || (idle != TimeSpan.Zero && idle < KeepAliveMin)) return false;
        request = new LaneRequest(session, (int)number, speakAfter, idle, every);
        return true;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{PathProtocol.Greeting} LANE {Session} {Lane} {Milliseconds(SpeakAfter)} {Milliseconds(KeepAlive)} {Milliseconds(SayEvery)}");

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;

    private static bool TryTime(string word, out TimeSpan time)
    {
        bool good = TryNumber(word, (long)PathProtocol.TimeMax.TotalMilliseconds, out long milliseconds);
        time = TimeSpan.FromMilliseconds(milliseconds);
        return good;
    }

    private static bool TryNumber(string word, long most, out long number) =>
        long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= most;
}
