using System.Buffers.Binary;
using KeepAlive.Linux.Bpf;
using KeepAlive.Linux.Diag;
using KeepAlive.Linux.Settings;

namespace KeepAlive.Tests.Linux;

/// <summary>What the kernel hands over is read within its bounds, whatever it is.</summary>
public sealed class ParserFuzz
{
    private const int Inputs = 300_000;

    [Fact]
    public void Netlink_answers_truncated_oversized_and_random()
    {
        byte[] whole = Answer();
        var rows = new List<SocketRow>();
        Assert.Equal(DiagEnd.Done, DiagParser.Read(whole, rows, out _));
        Assert.Equal("192.0.2.1:4000 198.51.100.9:21 Established KeepAlive 00:00:05", $"{rows[0].Local} {rows[0].Remote} {rows[0].State} {rows[0].Timer} {rows[0].TimerLeft}");
        Assert.Equal((77UL, 1234u, 1000u, true, 3u), (rows[0].Cookie, rows[0].Inode, rows[0].Uid, rows[0].HasInfo, rows[0].Unacknowledged));
        for (int length = 0; length < whole.Length; length++) DiagParser.Read(whole.AsSpan(0, length), rows, out _);

        var random = new Random(1);
        byte[] input = new byte[whole.Length];
        for (int i = 0; i < Inputs; i++)
        {
            whole.CopyTo(input, 0);
            for (int edits = random.Next(1, 6); edits > 0; edits--) input[random.Next(input.Length)] = (byte)random.Next(256);
            rows.Clear();
            DiagParser.Read(input.AsSpan(random.Next(8), random.Next(input.Length - 8)), rows, out _);
            Assert.True(rows.Count <= 3);
        }
    }

    [Fact]
    public void Iterator_records_and_type_information_truncated_and_random()
    {
        var random = new Random(1);
        byte[] noise = new byte[512];
        for (int i = 0; i < Inputs / 10; i++)
        {
            random.NextBytes(noise);
            BinaryPrimitives.WriteUInt16LittleEndian(noise, 0xEB9F);
            for (int field = 4; field < 24; field += 4)
                if (random.Next(3) > 0) BinaryPrimitives.WriteUInt32LittleEndian(noise.AsSpan(field), (uint)random.Next(600));
            int length = random.Next(noise.Length);
            KernelBtf.FindFunction(noise.AsSpan(0, length), "f");
            var found = new Dictionary<ulong, SocketOptions>();
            TcpIterator.Parse(noise.AsSpan(0, length), found);
            Assert.True(found.Count <= length / TcpIterator.RecordBytes);
        }
    }

    // One socket with tcp_info, and the end.
    private static byte[] Answer()
    {
        byte[] bytes = new byte[16 + 72 + 4 + 64 + 16];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)bytes.Length - 16);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), DiagParser.SockDiagByFamily);
        Span<byte> message = bytes.AsSpan(16);
        message[0] = 2;
        message[1] = 1;
        message[2] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], 4000);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], 21);
        ((ReadOnlySpan<byte>)[192, 0, 2, 1]).CopyTo(message[8..]);
        ((ReadOnlySpan<byte>)[198, 51, 100, 9]).CopyTo(message[24..]);
        BinaryPrimitives.WriteUInt64LittleEndian(message[44..], 77);
        BinaryPrimitives.WriteUInt32LittleEndian(message[52..], 5000);
        BinaryPrimitives.WriteUInt32LittleEndian(message[64..], 1000);
        BinaryPrimitives.WriteUInt32LittleEndian(message[68..], 1234);
        BinaryPrimitives.WriteUInt16LittleEndian(message[72..], 68);
        BinaryPrimitives.WriteUInt16LittleEndian(message[74..], 2);
        BinaryPrimitives.WriteUInt32LittleEndian(message[(76 + 24)..], 3);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 16), 16);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(bytes.Length - 12), 3);
        return bytes;
    }
}
