namespace KeepAlive.Protocols.Ssh;

/// <summary>A channel of a session (RFC 4254 section 5), from our side.</summary>
internal sealed class SshChannel(uint id)
{
    /// <summary>What the peer may send before more is granted; nothing big ever travels here.</summary>
    public const uint WindowBytes = 64 * 1024;

    /// <summary>The longest piece, which with its packet stays below <see cref="SshPacketReader.PacketBytesMax"/>.</summary>
    public const uint PieceBytesMax = 32 * 1024;

    // What waits for the peer's window: answers of a few dozen bytes to requests it sent without reading them.
    private const int WaitingBytesMax = 64 * 1024;

    private readonly List<byte> _waiting = [];
    private uint _granted = WindowBytes;
    private ulong _window;
    private uint _pieceMax;

    /// <summary>Our number for it.</summary>
    public uint Id { get; } = id;

    /// <summary>The peer's number for it.</summary>
    public uint PeerId { get; private set; }

    /// <summary>The peer has agreed to it, or proposed it.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Our CLOSE is sent.</summary>
    public bool IsClosing { get; set; }

    public SshReplySlots Slots { get; } = new();

    /// <summary>Answers its requests when it is an sftp channel of a server's.</summary>
    public SftpResponder? Sftp { get; set; }

    public void Open(uint peerId, uint window, uint pieceMax) => (PeerId, _window, _pieceMax, IsOpen) = (peerId, window, pieceMax, true);

    /// <summary>The peer sent so much.</summary>
    /// <returns>False when it was not allowed to; else what is to be granted anew.</returns>
    public bool TryTake(int bytes, out uint grant)
    {
        grant = 0;
        if (bytes > _granted || bytes > PieceBytesMax) return false;
        _granted -= (uint)bytes;
        if (_granted >= WindowBytes / 2) return true;
        grant = WindowBytes - _granted;
        _granted = WindowBytes;
        return true;
    }

    public void Grow(uint bytes) => _window = Math.Min(_window + bytes, uint.MaxValue);

    /// <summary>Bytes for the peer; false when it takes none and too many wait.</summary>
    public bool TryQueue(ReadOnlySpan<byte> bytes)
    {
        if (_waiting.Count + bytes.Length > WaitingBytesMax) return false;
        _waiting.AddRange(bytes);
        return true;
    }

    /// <summary>The next piece that the peer's window allows; null when there is none.</summary>
    public byte[]? NextPiece()
    {
        int bytes = (int)Math.Min((ulong)_waiting.Count, Math.Min(_window, Math.Min(_pieceMax, PieceBytesMax)));
        if (bytes == 0) return null;
        byte[] piece = [.. _waiting[..bytes]];
        _waiting.RemoveRange(0, bytes);
        _window -= (ulong)bytes;
        return piece;
    }
}
