using System.Text;

namespace KeepAlive.Protocols.Redis;

/// <summary>What the client's commands so far mean for a PING of ours behind them.</summary>
internal sealed class RedisCommands
{
    private const int NameBytesMax = 16;

    private readonly byte[] _words = new byte[2 * NameBytesMax];
    private int _firstBytes;
    private int _secondBytes;
    private string? _never;
    private bool _isInTransaction;
    private bool _isAboutNext;

    /// <summary>Whether messages come unasked, and answers cannot be counted.</summary>
    public bool IsSubscriber { get; private set; }

    /// <summary>Commands that are not answered yet; means nothing for a subscriber.</summary>
    public int Open { get; private set; }

    /// <summary>Something was answered that is no error: the client is let in.</summary>
    public bool IsLetIn { get; private set; }

    /// <summary>Why nothing may be sent behind the last command; null when something may.</summary>
    public string? WhyNot => _never
        ?? (_isInTransaction ? "in MULTI"
            : _isAboutNext ? "the last command is about the next"
            : Open > 0 && !IsSubscriber ? "a command is unanswered"
            : !IsLetIn ? "nothing was answered yet"
            : null);

    /// <summary>A word of a command, by its place: the first two matter, and none that is long.</summary>
    public void OnWord(int place, ReadOnlySpan<byte> word)
    {
        int bytes = Math.Min(word.Length, NameBytesMax);
        if (place == 0) (_firstBytes, _secondBytes) = (bytes, 0);
        else if (place == 1) _secondBytes = bytes;
        if (place < 2) word[..bytes].CopyTo(_words.AsSpan(place * NameBytesMax));
    }

    /// <summary>A command is whole.</summary>
    public void OnCommand()
    {
        Open++;
        _isAboutNext = false;
        switch (Word(0, _firstBytes))
        {
            case "SUBSCRIBE" or "PSUBSCRIBE" or "SSUBSCRIBE":
                IsSubscriber = true;
                break;
            case "MULTI":
                _isInTransaction = true;
                break;
            case "EXEC" or "DISCARD":
                _isInTransaction = false;
                break;
            case "RESET":
                _never = "after RESET it is not known who is let in";
                break;
            case "ASKING":
                _isAboutNext = true;
                break;
            case "CLIENT" when Word(1, _secondBytes) == "CACHING":
                _isAboutNext = true;
                break;
            case "CLIENT" when Word(1, _secondBytes) == "REPLY":
                _never = "CLIENT REPLY may leave answers out";
                break;
            case "MONITOR" or "SYNC" or "PSYNC" or "REPLCONF":
                _never = "the session is a monitor or a replica";
                break;
            case "QUIT":
                _never = "the session is ending";
                break;
        }
    }

    /// <summary>A command was answered.</summary>
    public void OnAnswered(bool isError)
    {
        if (Open > 0) Open--;
        IsLetIn |= !isError;
    }

    /// <summary>A PING of ours was refused: the user may not.</summary>
    public void OnRefused() => _never = "this user may not PING";

    private string Word(int place, int bytes) => Encoding.ASCII.GetString(_words, place * NameBytesMax, bytes).ToUpperInvariant();
}
