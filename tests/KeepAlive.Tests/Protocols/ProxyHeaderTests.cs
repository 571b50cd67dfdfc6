using System.Net;
using System.Text;
using KeepAlive.Protocols.Proxy;

namespace KeepAlive.Tests.Protocols;

/// <summary>PROXY headers: what is written is read back, by the byte and with anything behind it, and noise never throws.</summary>
public sealed class ProxyHeaderTests
{
    private const int Inputs = 300_000;

    public static TheoryData<string, string, string> Texts => new()
    {
        { "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "192.0.2.1:56324", "198.51.100.7:443" },
        { "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535", "255.255.255.255:65535" },
        { "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1", "[::1]:2" },
        { "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
        { "PROXY UNKNOWN\r\n", "", "" },
        { "PROXY UNKNOWN ffff:ffff::1 whatever it says 65535 65535\r\n", "", "" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Lines_are_read(string line, string source, string destination) => IsRead(Encoding.Latin1.GetBytes(line), source, destination);

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n", "six words")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n", "six words")]
    [InlineData("PROXY TCP4 192.0.2.1  198.51.100.7 56324 443\r\n", "six words")]
    [InlineData("PROXY TCP4 192.0.2 198.51.100.7 56324 443\r\n", "addresses and ports")]
    [InlineData("PROXY TCP4 192.0.2.01 198.51.100.7 56324 443\r\n", "addresses and ports")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 056324 443\r\n", "addresses and ports")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n", "addresses and ports")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n", "addresses and ports")]
    [InlineData("PROXY TCP4 ::1 ::1 1 1\r\n", "addresses and ports")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.7 1 1\r\n", "addresses and ports")]
    [InlineData("PROXY TCP6 fe80::1%1 ::1 1 1\r\n", "addresses and ports")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.7 1 1\r\n", "addresses and ports")]
    [InlineData("PROXY UNKNOWNS\r\n", "six words")]
    [InlineData("proxy TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "does not begin")]
    [InlineData("GET / HTTP/1.1\r\n", "does not begin")]
    [InlineData("\r\n\r\n\0\r\nQUIT\r\n", "does not begin")]
    public void What_is_none_is_said_so(string bytes, string why)
    {
        Assert.Equal(ProxyHeaderState.Malformed, ProxyHeaderReader.Read(Encoding.Latin1.GetBytes(bytes), out _, out _, out string? fault));
        Assert.Contains(why, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_without_end_is_not_waited_for()
    {
        byte[] line = Encoding.Latin1.GetBytes("PROXY UNKNOWN " + new string('x', 200));
        Assert.Equal(ProxyHeaderState.NeedMore, ProxyHeaderReader.Read(line.AsSpan(0, 106), out _, out _, out _));
        Assert.Equal(ProxyHeaderState.Malformed, ProxyHeaderReader.Read(line.AsSpan(0, 107), out _, out _, out _));
    }

    [Theory]
    [InlineData(0x20, 0x00, 0, "", "")] // LOCAL
    [InlineData(0x20, 0x11, 12, "", "")]
    [InlineData(0x21, 0x00, 0, "", "")] // unspecified
    [InlineData(0x21, 0x11, 12, "1.2.3.4:2314", "5.6.7.8:2828")]
    [InlineData(0x21, 0x11, 200, "1.2.3.4:2314", "5.6.7.8:2828")] // with TLVs
    [InlineData(0x21, 0x21, 36, "[102:304:506:708:90a:b0c:d0e:f10]:8482", "[1112:1314:1516:1718:191a:1b1c:1d1e:1f20]:8996")]
    [InlineData(0x21, 0x12, 12, "", "")] // datagrams
    [InlineData(0x21, 0x31, 216, "", "")] // UNIX
    [InlineData(0x21, 0x11, 2048, "1.2.3.4:2314", "5.6.7.8:2828")]
    public void Binary_headers_are_read(byte command, byte family, int length, string source, string destination) => IsRead(Binary(command, family, length), source, destination);

    [Theory]
    [InlineData(0x11, 0x11, 12, "version and command")]
    [InlineData(0x22, 0x11, 12, "version and command")]
    [InlineData(0x21, 0x41, 12, "kind of address")]
    [InlineData(0x21, 0x13, 12, "kind of address")]
    [InlineData(0x21, 0x11, 11, "too short")]
    [InlineData(0x21, 0x21, 35, "too short")]
    [InlineData(0x21, 0x11, 2049, "longer than 2064 bytes")]
    public void Binary_headers_that_must_not_be_are_refused_by_their_first_16_bytes(byte command, byte family, int length, string why)
    {
        Assert.Equal(ProxyHeaderState.Malformed, ProxyHeaderReader.Read(Binary(command, family, length).AsSpan(0, 16), out _, out _, out string? fault));
        Assert.Contains(why, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("192.0.2.1:1", "198.51.100.7:65535")]
    [InlineData("[2001:db8::1]:1", "[::1]:65535")]
    [InlineData("[::ffff:192.0.2.1]:1", "198.51.100.7:65535")]
    [InlineData("[fe80::1%3]:1", "[fe80::2]:2")]
    public void What_is_written_is_read_back(string source, string destination)
    {
        foreach (ProxyVersion version in Enum.GetValues<ProxyVersion>())
        {
            IPEndPoint from = IPEndPoint.Parse(source), to = IPEndPoint.Parse(destination);
            byte[] header = ProxyHeaderWriter.Write(version, from, to);
            IsRead(header, source.Replace("[::ffff:192.0.2.1]", "192.0.2.1", StringComparison.Ordinal).Replace("%3", "", StringComparison.Ordinal), destination);
        }
    }

    [Fact]
    public void Ends_of_two_families_are_unknown()
    {
        foreach (ProxyVersion version in Enum.GetValues<ProxyVersion>())
            IsRead(ProxyHeaderWriter.Write(version, IPEndPoint.Parse("192.0.2.1:1"), IPEndPoint.Parse("[::1]:1")), "", "");
    }

    [Fact]
    public void Noise_never_throws_and_a_header_is_bounded()
    {
        byte[][] good = [.. Texts.Select(row => Encoding.Latin1.GetBytes(row.Data.Item1)), Binary(0x21, 0x11, 40), Binary(0x21, 0x21, 36)];
        var random = new Random(1);
        byte[] input = new byte[4096];
        for (int i = 0; i < Inputs; i++)
        {
            byte[] start = good[random.Next(good.Length)];
            random.NextBytes(input.AsSpan(0, 256));
            start.CopyTo(input, 0);
            for (int edits = random.Next(4); edits > 0; edits--) input[random.Next(random.Next(2) == 0 ? 20 : start.Length)] = (byte)random.Next(256);
            int given = random.Next(4) == 0 ? random.Next(input.Length) : random.Next(start.Length + 4);
            ProxyHeaderState state = ProxyHeaderReader.Read(input.AsSpan(0, given), out ProxyHeader header, out int length, out string? fault);
            Assert.Equal(state == ProxyHeaderState.Malformed, fault is not null);
            Assert.InRange(length, 0, Math.Min(given, ProxyHeaderReader.BytesMax));
            Assert.True(state != ProxyHeaderState.NeedMore || given < ProxyHeaderReader.BytesMax);
            Assert.True(state == ProxyHeaderState.Whole || header is { Source: null, Destination: null });
        }
    }

    // By the byte: all but the last ask for more; whatever stands behind is left alone.
    private static void IsRead(byte[] whole, string source, string destination)
    {
        for (int length = 0; length < whole.Length; length++) Assert.Equal(ProxyHeaderState.NeedMore, ProxyHeaderReader.Read(whole.AsSpan(0, length), out _, out _, out _));
        Assert.Equal(ProxyHeaderState.Whole, ProxyHeaderReader.Read([.. whole, .. "220 and more\r\n"u8], out ProxyHeader header, out int read, out _));
        Assert.Equal((whole.Length, source, destination), (read, $"{header.Source}", $"{header.Destination}"));
    }

    // The bytes behind the first 16 count from 1.
    private static byte[] Binary(byte command, byte family, int length) =>
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, command, family, (byte)(length >> 8), (byte)length, .. Enumerable.Range(1, length).Select(i => (byte)i)];
}
