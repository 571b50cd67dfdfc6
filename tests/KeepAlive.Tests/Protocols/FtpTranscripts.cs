using System.Text;
using KeepAlive.Core;

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
