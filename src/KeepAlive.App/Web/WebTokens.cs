using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace KeepAlive.App.Web;

/// <summary>What became of a token that was tried.</summary>
internal enum TokenAnswer
{
    Right,
    Wrong,

    /// <summary>Too many wrong ones came from there: not even looked at.</summary>
    TooMany,
}

/// <summary>The token, and the sessions of browsers that knew it.</summary>
/// <param name="token">Null for none.</param>
/// <param name="now">The time.</param>
internal sealed class WebTokens(byte[]? token, Func<DateTimeOffset> now)
{
    public const string Cookie = "keepalive";
    public const string TooMany = "too many wrong tokens came from there: wait a minute";

    private const int WrongMax = 10;
    private const int SessionsMax = 1000;
    private const int GuessersMax = 1000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>So long a browser need not ask again.</summary>
    public static readonly TimeSpan SessionTime = TimeSpan.FromHours(12);

    // Of one length, whatever is tried.
    private readonly byte[]? _hash = token is null ? null : SHA256.HashData(token);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _sessions = [];
    private readonly Dictionary<IPAddress, (int Wrong, DateTimeOffset Since)> _guessers = [];

    public bool IsSet => _hash is not null;

    /// <summary>Whether it is the token. So many wrong ones from one place, and nothing from there is looked at for a minute.</summary>
    public TokenAnswer Try(IPAddress? from, string said)
    {
        IPAddress place = from ?? IPAddress.None;
        lock (_lock)
        {
            DateTimeOffset at = now();
            if (!_guessers.TryGetValue(place, out (int Wrong, DateTimeOffset Since) guesser) || at - guesser.Since > Window) guesser = (0, at);
            if (guesser.Wrong >= WrongMax || (guesser.Wrong == 0 && IsCrowded(at))) return TokenAnswer.TooMany;
            if (_hash is not null && CryptographicOperations.FixedTimeEquals(_hash, SHA256.HashData(Encoding.UTF8.GetBytes(said)))) return TokenAnswer.Right;
            _guessers[place] = (guesser.Wrong + 1, guesser.Since);
            return TokenAnswer.Wrong;
        }
    }

    /// <summary>For a browser that knew the token: what its cookie says.</summary>
    public string Begin()
    {
        string session = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        lock (_lock)
        {
            DateTimeOffset at = now();
            foreach (string old in _sessions.Where(s => s.Value <= at).Select(s => s.Key).ToArray()) _sessions.Remove(old);
            if (_sessions.Count >= SessionsMax) _sessions.Remove(_sessions.MinBy(s => s.Value).Key);
            _sessions[Hash(session)] = at + SessionTime;
        }

        return session;
    }

    public bool IsSession(string said)
    {
        lock (_lock) return _sessions.TryGetValue(Hash(said), out DateTimeOffset until) && until > now();
    }

    // Looked up by its hash: how long that takes tells nothing of the session itself.
    private static string Hash(string session) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(session)));

    // So many guess at once that they cannot all be counted: then those who have not guessed yet wait too.
    private bool IsCrowded(DateTimeOffset at)
    {
        if (_guessers.Count < GuessersMax) return false;
        foreach (IPAddress old in _guessers.Where(g => at - g.Value.Since > Window).Select(g => g.Key).ToArray()) _guessers.Remove(old);
        return _guessers.Count >= GuessersMax;
    }
}
