using System.Net;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>Addresses, command lines and replies as they stand on the wire.</summary>
public sealed class FtpWireTests
{
    private const int Fragmentations = 200;

    [Theory]
    [InlineData("Entering Passive Mode (10,0,0,9,195,80).", "10,0,0,9,195,80", "10.0.0.9:50000")]
    [InlineData("=10,0,0,9,195,80", "10,0,0,9,195,80", "10.0.0.9:50000")]
    [InlineData("1,2,3 then 4,5,6,7,8,9", "4,5,6,7,8,9", "4.5.6.7:2057")]
    [InlineData("010,000,000,009,195,080", "010,000,000,009,195,080", "10.0.0.9:50000")]
    [InlineData("1,2,3,4,5,6,7", "1,2,3,4,5,6", "1.2.3.4:1286")]
    [InlineData("(10,0,0,9,195,256)", null, null)]
    [InlineData("(10,0,0,300,1,1)", null, null)]
    [InlineData("(10,0,0,9,195)", null, null)]
    [InlineData("(10, 0, 0, 9, 195, 80)", null, null)]
    [InlineData("(-1,0,0,9,195,80)", "1,0,0,9,195,80", "1.0.0.9:50000")]
    [InlineData("", null, null)]
    public void Six_numbers_are_found_in_any_text(string text, string? numbers, string? endpoint)
    {
        bool found = FtpAddress.TryFindSix(Encoding.ASCII.GetBytes(text), out Range where, out IPEndPoint address);
        Assert.Equal(numbers is not null, found);
        if (found) Assert.Equal((numbers, endpoint), (text[where], address.ToString()));
    }

    [Theory]
    [InlineData("Entering Extended Passive Mode (|||6446|)", 6446)]
    [InlineData("(!!!65535!)", 65535)]
    [InlineData("(a) or (|||1|).", 1)]
    [InlineData("(|||65536|)", null)]
    [InlineData("(|||6446)", null)]
    [InlineData("(|||6446", null)]
    [InlineData("(||6446|)", null)]
    [InlineData("(||||)", null)]
    [InlineData("(111222)", null)]
    [InlineData("(|||-1|)", null)]
    [InlineData("(", null)]
    public void The_port_of_a_229_is_found(string text, int? port)
    {
        bool found = FtpAddress.TryFindExtendedPort(Encoding.ASCII.GetBytes(text), out Range where, out int number);
        Assert.Equal(port, found ? number : null);
        if (found) Assert.Equal($"{port}", text[where]);
    }

    [Theory]
    [InlineData("|1|132.235.1.2|6275|", "132.235.1.2:6275")]
    [InlineData("|2|1080::8:800:200C:417A|5282|", "[1080::8:800:200c:417a]:5282")]
    [InlineData("!1!132.235.1.2!6275!", "132.235.1.2:6275")]
    [InlineData(" |1|132.235.1.2|6275| ", "132.235.1.2:6275")]
    [InlineData("|2|132.235.1.2|6275|", null)]
    [InlineData("|1|::1|6275|", null)]
    [InlineData("|1|132.235.1.2|65536|", null)]
    [InlineData("|1|132.235.1.2|-1|", null)]
    [InlineData("|1|132.235.1.2|6275", null)]
    [InlineData("|1|132.235.1.2|6275||", null)]
    [InlineData("|2|fe80::1%3|6275|", null)]
    [InlineData("|1||6275|", null)]
    [InlineData("", null)]
    public void The_argument_of_eprt_is_read(string text, string? endpoint)
    {
        bool read = FtpAddress.TryReadExtended(Encoding.ASCII.GetBytes(text), out IPEndPoint address);
        Assert.Equal(endpoint, read ? address.ToString() : null);
    }

    [Theory]
    [InlineData("192.0.2.1", "192,0,2,1,195,80", "|1|192.0.2.1|50000|")]
    [InlineData("::ffff:192.0.2.1", "192,0,2,1,195,80", "|1|192.0.2.1|50000|")]
    [InlineData("2001:db8::1", "0,0,0,0,195,80", "|2|2001:db8::1|50000|")]
    public void An_address_of_ours_is_written(string address, string six, string extended)
    {
        var endpoint = new IPEndPoint(IPAddress.Parse(address), 50000);
        Assert.Equal((six, extended), (FtpAddress.Six(endpoint), FtpAddress.Extended(endpoint)));
    }

    [Theory]
    [InlineData("  port 192,0,2,1,195,80 \n", "198.51.100.8", "  port 198,51,100,8,156,64 \n")]
    [InlineData("PORT 192,0,2,1,195,80\r\n", "2001:db8::8", "EPRT |2|2001:db8::8|40000|\r\n")]
    [InlineData("eprt |1|192.0.2.1|50000|\r\n", "2001:db8::8", "eprt |2|2001:db8::8|40000|\r\n")]
    [InlineData("eprt |1|192.0.2.1|50000|\n", "198.51.100.8", "eprt |1|198.51.100.8|40000|\n")]
    [InlineData("PORT nonsense\r\n", "198.51.100.8", "PORT nonsense\r\n")]
    [InlineData("EPRT |3|x|1|\r\n", "198.51.100.8", "EPRT |3|x|1|\r\n")]
    public void Around_a_rewritten_address_a_command_stays_as_it_was(string line, string ours, string rewritten)
    {
        var data = new Simulation.SimulatedData { Ours = new IPEndPoint(IPAddress.Parse(ours), 40000) };
        var verdicts = new Verdicts();
        byte[] bytes = Encoding.ASCII.GetBytes(line);
        Assert.True(new FtpDataAddresses(data, isDirect: false).TryPassCommand(bytes, FtpCommand.Read(bytes), verdicts));
        Assert.Equal(rewritten, Encoding.ASCII.GetString(verdicts.BytesFor(Leg.Upstream)));
    }

    [Theory]
    [InlineData("PORT 203,0,113,9,195,80\r\n")]
    [InlineData("PORT 192,0,2,1,3,255\r\n")]
    [InlineData("EPRT |1|203.0.113.9|50000|\r\n")]
    [InlineData("EPRT |1|192.0.2.1|1023|\r\n")]
    public void Data_goes_to_the_client_alone_and_never_below_port_1024(string line)
    {
        FtpBench bench = new FtpBench().LogIn();
        bench.Client(line);
        Assert.Equal(("", "500 Illegal PORT command.\r\n", 0), (bench.ServerSaw, bench.ClientSaw, bench.Data.Opened));
    }

    [Theory]
    [InlineData("retr a b\r\n", FtpVerb.Fetch, "retr", "a b", 0)]
    [InlineData("Stor f\n", FtpVerb.Store, "Stor", "f", 0)]
    [InlineData("  NOOP  \r\n", FtpVerb.Noop, "NOOP", "", 0)]
    [InlineData("XPWD\r\n", FtpVerb.Pwd, "XPWD", "", 0)]
    [InlineData("SITE NOOP\r\n", FtpVerb.Other, "SITE", "NOOP", 0)]
    [InlineData("NOOPS\r\n", FtpVerb.Other, "NOOPS", "", 0)]
    [InlineData("\r\n", FtpVerb.Other, "", "", 0)]
    [InlineData("   \r\n", FtpVerb.Other, "", "", 0)]
    [InlineData("", FtpVerb.Other, "", "", 0)]
    [InlineData("\u00FF\u00F4\u00FF\u00F2ABOR\r\n", FtpVerb.Abor, "ABOR", "", 4)]
    [InlineData("\u00FF\u00FB\u00F2ABOR\r\n", FtpVerb.Abor, "ABOR", "", 0)]
    [InlineData("RETR \u00FF\u00F2\r\n", FtpVerb.Fetch, "RETR", "\u00FF\u00F2", 0)]
    [InlineData("\u00FF\u00FF\u00FF", FtpVerb.Other, "\u00FF", "", 0)]
    public void A_command_line_is_read(string line, object verb, string name, string argument, int urgentUpTo)
    {
        FtpCommand command = FtpCommand.Read(Encoding.Latin1.GetBytes(line));
        Assert.Equal((verb, urgentUpTo), (command.Verb, command.UrgentUpTo));
        Assert.Equal((name, argument), (Encoding.Latin1.GetString(command.Name), Encoding.Latin1.GetString(command.Argument)));
    }

    [Fact]
    public void A_synch_before_abor_leaves_as_urgent_data()
    {
        FtpBench bench = new FtpBench().LogIn();
        var verdicts = new Verdicts();
        bench.Protocol.OnReceived(Leg.Downstream, [0xFF, 0xF4, 0xFF, 0xF2, .. "ABOR\r\nRETR \u00FF"u8, .. "x\r\n"u8], bench.Now, verdicts);
        Assert.Equal(4, verdicts.UrgentUpTo);
    }

    [Theory]
    [InlineData("220 one\r\n221\r\n222 lf\n", "220.221.222.")]
    [InlineData("230-a\r\n 230 b\r\n230x\r\n\r\n231 c\r\n230-d\r\n230 e\r\n200 f\r\n", "230.200.")]
    [InlineData("211-a\r\n211\r\n", "211.")]
    [InlineData("99", "")]
    [InlineData("600 no\r\n", "?")]
    [InlineData("220x\r\n", "?")]
    [InlineData("\r\n220 x\r\n", "?")]
    [InlineData("22\n", "?")]
    [InlineData("220 a\r\n\0\0\0\0", "220.?")]
    public void Replies_are_cut_alike_however_they_come(string text, string meant)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        for (int seed = 0; seed < Fragmentations; seed++)
        {
            var random = new Random(seed);
            var reader = new FtpReplyReader();
            var codes = new StringBuilder();
            var pieces = new List<byte>();
            for (int at = 0; at < bytes.Length && !codes.ToString().EndsWith('?');)
            {
                int length = seed == 0 ? bytes.Length : Math.Min(bytes.Length - at, random.Next(1, 4));
                ReadOnlySpan<byte> part = bytes.AsSpan(at, length);
                at += length;
                FtpReplyStep step;
                while ((step = reader.Read(ref part, out ReadOnlySpan<byte> piece)) is not (FtpReplyStep.NeedMore or FtpReplyStep.Doubt))
                {
                    if (step == FtpReplyStep.Start) codes.Append(reader.Code);
                    if (step == FtpReplyStep.End) codes.Append('.');
                    pieces.AddRange(piece);
                }

                if (step == FtpReplyStep.Doubt) codes.Append('?');
                if (step == FtpReplyStep.NeedMore) Assert.Equal(at, pieces.Count + reader.Held.Length);
            }

            Assert.Equal(meant, codes.ToString());
        }
    }
}
