using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>
/// Conversations as real servers and clients have them, replayed whole, byte by byte and in random fragments: both
/// ends get exactly the bytes of a plain relay, but for the rewritten data addresses.
/// </summary>
public sealed class FtpTranscripts
{
    private const int Fragmentations = 1000;

    /// <summary>Lines start with C: or S:; line ends are written out. What differs from a plain relay stands behind ⇒.</summary>
    public static TheoryData<string, string> Conversations => new()
    {
        { "login and directory", "S:220-Welcome\\r\\n220-  to 230 files\\r\\n220 ready\\r\\n|C:user anonymous\\r\\n|S:331 ok\\r\\n|C:PASS a@b\\r\\n|S:230-hi\\r\\n 230 not the end\\r\\n230 in\\r\\n|C:PWD\\r\\n|S:257 \"/\"\\r\\n|C:FEAT\\r\\n|S:211-Features:\\r\\n EPSV\\r\\n211 End\\r\\n|C:QUIT\\r\\n|S:221 bye\\r\\n" },
        { "passive download", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:TYPE I\\r\\n|S:200 I\\r\\n|C:PASV\\r\\n|S:227 Entering Passive Mode (10,0,0,9,195,80).\\r\\n⇒227 Entering Passive Mode (198,51,100,7,156,64).\\r\\n|C:RETR f\\r\\n|S:150 here\\r\\n|S:226 done\\r\\n|C:NOOP\\r\\n|S:200 ok\\r\\n" },
        { "passive, odd text", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PASV\\r\\n|S:227 ok 10,0,0,9,195,80 and 1,2\\r\\n⇒227 ok 198,51,100,7,156,64 and 1,2\\r\\n|C:LIST\\r\\n|S:125 x\\r\\n|S:250 done\\r\\n" },
        { "extended passive", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:EPSV\\r\\n|S:229 Extended Passive (|||50000|)\\r\\n⇒229 Extended Passive (|||40000|)\\r\\n|C:MLSD\\r\\n|S:150 x\\r\\n|S:226 x\\r\\n" },
        { "active upload", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PORT 192,0,2,1,195,80\\r\\n⇒PORT 198,51,100,8,156,64\\r\\n|S:200 ok\\r\\n|C:STOR f\\r\\n|S:150 x\\r\\n|S:226 x\\r\\n" },
        { "extended active", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:EPRT |1|192.0.2.1|50001|\\r\\n⇒EPRT |1|198.51.100.8|40001|\\r\\n|S:200 ok\\r\\n|C:APPE f\\r\\n|S:150 x\\r\\n|S:452 full\\r\\n" },
        { "bounce refused", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PORT 203,0,113,9,0,25\\r\\n⇒|S:⇒500 Illegal PORT command.\\r\\n|C:NOOP\\r\\n|S:200 ok\\r\\n" },
        { "restart and rename", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:REST 100\\r\\n|S:350 go\\r\\n|C:RETR f\\r\\n|S:150 x\\r\\n|S:426 broken\\r\\n|C:RNFR a\\r\\n|S:350 go\\r\\n|C:RNTO b\\r\\n|S:250 ok\\r\\n" },
        { "abort with Telnet Synch", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:RETR f\\r\\n|S:150 x\\r\\n|C:\\xFF\\xF4\\xFF\\xF2ABOR\\r\\n|S:426 aborted\\r\\n226 abort done\\r\\n|C:PWD\\r\\n|S:257 \"/\"\\r\\n" },
        { "pipelined", "S:220 x\\r\\n|C:USER u\\r\\nPASS p\\r\\nSYST\\r\\nPWD\\r\\n|S:331 a\\r\\n230 b\\r\\n215 UNIX\\r\\n257 \"/\"\\r\\n|C:CWD a\\r\\nCWD b\\r\\n|S:250 a\\r\\n550 b\\r\\n" },
        { "line feeds alone, blank lines, two ends of one transfer", "S:220 x\\n|C:\\r\\nUSER u\\n|S:230 in\\n|C:RETR f\\n|S:150 x\\n226 x\\n226 again\\n|C:NOOP\\n|S:200 ok\\n" },
        { "delayed greeting, unsolicited end", "S:120 wait\\r\\n220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|S:421 timeout\\r\\n" },
        { "TLS from AUTH on", "S:220 x\\r\\n|C:AUTH TLS\\r\\n|S:234 go\\r\\n|C:\\x16\\x03\\x01\\x00\\x05PORT 1,2\\n|S:\\x16\\x03\\x03227 (1,2,3,4,5,6)" },
        { "AUTH refused", "S:220 x\\r\\n|C:AUTH TLS\\r\\n|S:502 no\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PASV\\r\\n|S:227 (10,0,0,9,195,81)\\r\\n⇒227 (198,51,100,7,156,65)\\r\\n" },
        { "TLS from the first byte", "C:\\x16\\x03\\x01PASV\\r\\n|S:\\x16\\x03\\x03\\x00garbage\\n\\n" },
        { "no FTP at all", "C:GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n|S:HTTP/1.1 400 Bad\\r\\n\\r\\n227 (1,2,3,4,5,6)\\r\\n" },
        { "protected replies", "S:220 x\\r\\n|C:AUTH GSSAPI\\r\\n|S:334 ok\\r\\n|C:ADAT abc\\r\\n|S:235 ok\\r\\n|C:MIC abc\\r\\n|S:631 abc\\r\\n" },
        { "ProFTPD: FEAT, MLSD, busy in mid-transfer", "S:220 ProFTPD Server (Debian) [::ffff:10.0.0.9]\\r\\n|C:USER u\\r\\n|S:331 Password required for u\\r\\n|C:PASS p\\r\\n|S:230-Quota 10,0,0,1,2,3 used\\r\\n230 User u logged in\\r\\n|C:FEAT\\r\\n|S:211-Features:\\r\\n MLST modify*;size*;\\r\\n227 not one\\r\\n211 End\\r\\n|C:EPSV\\r\\n|S:229 Entering Extended Passive Mode (|||50001|)\\r\\n⇒229 Entering Extended Passive Mode (|||40001|)\\r\\n|C:RETR f\\r\\n|S:150 Opening BINARY mode data connection for f (9 bytes)\\r\\n|C:STAT\\r\\nNOOP\\r\\nPASV\\r\\n|S:211-Status of 127.0.0.1\\r\\n Transferring\\r\\n226 inside\\r\\n211 End of status\\r\\n200 NOOP: data transfer in progress\\r\\n450 PASV: data transfer in progress\\r\\n226 Transfer complete\\r\\n" },
        { "vsftpd: replies after the transfer", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PASV\\r\\n|S:227 Entering Passive Mode (10,0,0,9,195,80).\\r\\n⇒227 Entering Passive Mode (198,51,100,7,156,64).\\r\\n|C:STOR f\\r\\n|S:150 Ok to send data.\\r\\n|C:NOOP\\r\\nPWD\\r\\n|S:226 Transfer complete.\\r\\n200 NOOP ok.\\r\\n257 \"/\" is the current directory\\r\\n|S:500 OOPS: vsf_sysutil_recv_peek: no data\\r\\n" },
        { "Pure-FTPd: one error for two lines", "S:220---------- Welcome to Pure-FTPd [privsep] ----------\\r\\n220-You are user number 1 of 50 allowed.\\r\\n220 You will be disconnected after 15 minutes of inactivity.\\r\\n|C:USER u\\r\\n|S:331 User u OK. Password required\\r\\n|C:PASS p\\r\\n|S:230 OK. Current directory is /\\r\\n|C:RETR f\\r\\n|S:150-Accepted data connection\\r\\n150 8192.0 kbytes to download\\r\\n|C:NOOP\\r\\nSTAT\\r\\n|S:500 Unknown command\\r\\n|S:226-File successfully transferred\\r\\n226 0.006 seconds (measured here), 1.3 Gbytes per second\\r\\n|C:CWD a\\r\\n|S:250 OK. Current directory is /a\\r\\n|C:PASV\\r\\n|S:227 Entering Passive Mode (10,0,0,9,195,80)\\r\\n⇒227 Entering Passive Mode (198,51,100,7,156,64)\\r\\n" },
        { "FileZilla Server: abort", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:EPSV\\r\\n|S:229 Entering Extended Passive Mode (|||50002|)\\r\\n⇒229 Entering Extended Passive Mode (|||40002|)\\r\\n|C:LIST\\r\\n|S:150 About to start data transfer.\\r\\n|C:ABOR\\r\\n|S:426 Connection closed; aborted transfer\\r\\n226 ABOR command successful\\r\\n|C:EPSV\\r\\n|S:229 Entering Extended Passive Mode (|||50003|)\\r\\n⇒229 Entering Extended Passive Mode (|||40003|)\\r\\n" },
        { "pyftpdlib: data timeout does not end the session", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PASV\\r\\n|S:227 Entering passive mode (10,0,0,9,195,80).\\r\\n⇒227 Entering passive mode (198,51,100,7,156,64).\\r\\n|C:RETR f\\r\\n|S:150 File status okay. About to open data connection.\\r\\n421 Passive data channel timed out.\\r\\n|C:PASV\\r\\n|S:227 Entering passive mode (10,0,0,9,195,81).\\r\\n⇒227 Entering passive mode (198,51,100,7,156,65).\\r\\n|C:RETR f\\r\\n|S:125 Data connection already open. Transfer starting.\\r\\n226 Transfer complete.\\r\\n" },
        { "IIS: no space, lower case", "S:220 Microsoft FTP Service\\r\\n|C:user u\\r\\n|S:331 Password required\\r\\n|C:pass p\\r\\n|S:230 User logged in.\\r\\n|C:port 192,0,2,1,195,80\\n⇒port 198,51,100,8,156,64\\n|S:200 PORT command successful.\\r\\n|C:list -la\\r\\n|S:125 Data connection already open; Transfer starting.\\r\\n226 Transfer complete.\\r\\n|C:opts utf8 on\\r\\n|S:200 OPTS UTF8 command successful - UTF8 encoding now ON.\\r\\n" },
        { "store unique", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PORT 192,0,2,1,195,80\\r\\n⇒PORT 198,51,100,8,156,64\\r\\n|S:200 ok\\r\\n|C:STOU\\r\\n|S:150 FILE: ftp.1234\\r\\n|S:226 Transfer complete\\r\\n" },
        { "transfers that fail", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:RETR a\\r\\n|S:550 a: No such file or directory\\r\\n|C:RETR b\\r\\n|S:150 x\\r\\n451 local error\\r\\n|C:STOR c\\r\\n|S:150 x\\r\\n552 quota\\r\\n|C:RETR d\\r\\n|S:425 no data connection\\r\\n|C:PWD\\r\\n|S:257 \"/\"\\r\\n" },
        { "a mid-session 421 with its reason on two lines", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:RETR a\\r\\n|S:150 x\\r\\n421-Timeout\\r\\n421 closing control connection\\r\\n" },
        { "unsolicited text", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|S:Broadcast message from root\\r\\n|C:PASV\\r\\n|S:227 (10,0,0,9,195,80)\\r\\n" },
        { "protected replies unasked", "S:220 x\\r\\n|C:PASV\\r\\n|S:631 abcdef\\r\\n|C:PASV\\r\\n|S:227 (10,0,0,9,195,80)\\r\\n" },
        { "a passive reply of several lines", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PASV\\r\\n|S:227-look\\r\\n 1,2,3\\r\\n227 ok (10,0,0,9,195,80)\\r\\n⇒227-look\\r\\n 1,2,3\\r\\n227 ok (198,51,100,7,156,64)\\r\\n" },
        { "no port in a passive reply", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:PASV\\r\\n|S:227 Entering nothing\\r\\n|C:EPSV\\r\\n|S:229 (|||)\\r\\n" },
        { "NUL and bytes above 127 in names", "S:220 x\\r\\n|C:USER u\\r\\n|S:230 in\\r\\n|C:CWD \\x00\\xFF\\xF2\\xC3\\xA4\\r\\n|S:550 \\x00\\xFF\\xF2: no\\r\\n" },
        { "unfinished lines at the end", "S:220 x\\r\\n22|C:USE" },
    };

    [Theory]
    [MemberData(nameof(Conversations))]
    public void Both_ends_get_the_bytes_of_a_plain_relay(string name, string conversation)
    {
        Assert.NotEmpty(name);
        Replay(conversation, _ => int.MaxValue, "whole");
        Replay(conversation, _ => 1, "byte by byte");
        for (int seed = 1; seed <= Fragmentations; seed++)
        {
            var random = new Random(seed);
            Replay(conversation, _ => random.Next(1, 9), $"fragments of seed {seed}");
        }
    }

    [Fact]
    public void A_line_of_any_length_goes_through_whole()
    {
        string name = new('n', 3 * FtpProtocol.CommandBytesMax), text = new('t', 100_000);
        string conversation = $@"S:220 {text}\r\n|C:USER u\r\n|S:230-{text}\r\n230 in\r\n|C:RETR {name}\r\nPASV\r\n|S:550 {name}\r\n227 (10,0,0,9,195,80)\r\n⇒550 {name}\r\n227 (198,51,100,7,156,64)\r\n|C:NOOP {name}";
        Replay(conversation, _ => int.MaxValue, "whole");
        Replay(conversation, _ => 1, "byte by byte");
        Replay(conversation, _ => 1460, "segments");
    }

    private static void Replay(string conversation, Func<int, int> cut, string how)
    {
        var bench = new FtpBench();
        var client = new StringBuilder();
        var server = new StringBuilder();
        foreach (string turn in conversation.Split('|').Aggregate(new List<string>(), Rejoin))
        {
            Leg from = turn[0] == 'C' ? Leg.Downstream : Leg.Upstream;
            string[] parts = turn[2..].Split('⇒');
            byte[] bytes = Encoding.Latin1.GetBytes(Unescape(parts[0]));
            (from == Leg.Downstream ? server : client).Append(Unescape(parts[^1]));
            for (int at = 0; at < bytes.Length;)
            {
                int length = Math.Min(bytes.Length - at, cut(at));
                bench.Receive(from, bytes.AsSpan(at, length));
                at += length;
            }
        }

        bench.End(Leg.Downstream);
        bench.End(Leg.Upstream);
        Assert.True(server.ToString() == bench.ServerSaw, $"{how}: the server got\n{bench.ServerSaw}\ninstead of\n{server}");
        Assert.True(client.ToString() == bench.ClientSaw, $"{how}: the client got\n{bench.ClientSaw}\ninstead of\n{client}");
    }

    // Turns are separated by a bar, which EPSV and EPRT use as well: a turn begins with C: or S:.
    private static List<string> Rejoin(List<string> turns, string part)
    {
        if (part.Length > 1 && part[0] is 'C' or 'S' && part[1] == ':') turns.Add(part);
        else turns[^1] += "|" + part;
        return turns;
    }

    private static string Unescape(string text)
    {
        var plain = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\') plain.Append(text[i]);
            else if (text[i + 1] == 'x') (plain, i) = (plain.Append((char)Convert.ToByte(text.Substring(i + 2, 2), 16)), i + 3);
            else plain.Append(text[++i] == 'r' ? '\r' : '\n');
        }

        return plain.ToString();
    }
}
