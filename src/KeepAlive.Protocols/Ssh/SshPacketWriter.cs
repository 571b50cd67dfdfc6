using System.Buffers;
using System.Buffers.Binary;

namespace KeepAlive.Protocols.Ssh;

/// <summary>Fills a span with random bytes that nobody can foretell: <c>RandomNumberGenerator.Fill</c> wherever it matters.</summary>
internal delegate void SshRandom(Span<byte> bytes);

/// <summary>Makes packets of payloads, behind one another in one buffer. The shape is <see cref="SshPacketReader"/>'s.</summary>
internal sealed class SshPacketWriter(SshRandom random) : IDisposable
{
    // RFC 4253 section 6: the padding, and what the whole is a multiple of at least.
    private const int PaddingMin = 4;
    private const int BlockMin = 8;

    private readonly ArrayBufferWriter<byte> _output = new(256);
    private SshProtection _protection = new SshClear();
    private uint _sequence;

    /// <summary>The number the next packet gets.</summary>
    public uint NextSequence => _sequence;

    /// <summary>Bytes sealed under the keys in use.</summary>
    public long BytesUnderKey { get; private set; }

    /// <summary>What waits to be sent.</summary>
    public ReadOnlyMemory<byte> Output => _output.WrittenMemory;

    public void Clear() => _output.ResetWrittenCount();

    /// <summary>Bytes that are no packet: the version.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes) => _output.Write(bytes);

    public void Write(ReadOnlySpan<byte> payload)
    {
        int block = Math.Max(BlockMin, _protection.BlockBytes);
        int counted = payload.Length + 1 + (_protection.IsLengthClear ? 0 : SshProtection.LengthBytes);
        int padding = block - (counted % block);
        if (padding < PaddingMin) padding += block;

        int length = payload.Length + 1 + padding, packet = SshProtection.LengthBytes + length;
        Span<byte> all = _output.GetSpan(packet + _protection.TagBytes)[..(packet + _protection.TagBytes)];
        BinaryPrimitives.WriteUInt32BigEndian(all, (uint)length);
        all[SshProtection.LengthBytes] = (byte)padding;
        payload.CopyTo(all[(SshProtection.LengthBytes + 1)..]);
        random(all[(packet - padding)..packet]);
        _protection.Seal(_sequence, all[..packet], all[packet..]);
        _output.Advance(all.Length);
        BytesUnderKey += all.Length;
        unchecked
        {
            _sequence++;
        }
    }

    /// <summary>From the next packet on: what follows our NEWKEYS.</summary>
    public void Change(SshProtection protection, bool isNumberedAnew)
    {
        _protection.Dispose();
        (_protection, BytesUnderKey) = (protection, 0);
        if (isNumberedAnew) _sequence = 0;
    }

    public void Dispose() => _protection.Dispose();
}
