using System.Buffers.Binary;

namespace KeepAlive.Protocols.Ssh;

/// <summary>How the packets of one direction are encrypted and authenticated, between two exchanges of keys.</summary>
internal abstract class SshProtection : IDisposable
{
    public const int LengthBytes = 4;

    /// <summary>What the encrypted part is a multiple of.</summary>
    public abstract int BlockBytes { get; }

    /// <summary>The MAC behind a packet.</summary>
    public abstract int TagBytes { get; }

    /// <summary>The length is authenticated but not encrypted, and is no part of the blocks.</summary>
    public abstract bool IsLengthClear { get; }

    /// <summary>So much must be there to know a packet's length.</summary>
    public int HeadBytes => IsLengthClear ? LengthBytes : BlockBytes;

    /// <summary>A packet's length field; its head is decrypted in place where it is encrypted.</summary>
    public virtual uint Length(Span<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);

    /// <summary>Decrypts the rest of a packet in place; false when it is not the peer's.</summary>
    public abstract bool Open(uint sequence, Span<byte> packet, ReadOnlySpan<byte> tag);

    /// <summary>Encrypts a packet in place and writes its MAC.</summary>
    public abstract void Seal(uint sequence, Span<byte> packet, Span<byte> tag);

    public abstract void Dispose();
}

/// <summary>Before the first keys: nothing is encrypted (RFC 4253 section 6).</summary>
internal sealed class SshClear : SshProtection
{
    public override int BlockBytes => 8;

    public override int TagBytes => 0;

    public override bool IsLengthClear => false;

    public override bool Open(uint sequence, Span<byte> packet, ReadOnlySpan<byte> tag) => true;

    public override void Seal(uint sequence, Span<byte> packet, Span<byte> tag)
    {
    }

    public override void Dispose()
    {
    }
}
