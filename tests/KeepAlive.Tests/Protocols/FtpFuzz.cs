using System.Text;
using FsCheck;
using FsCheck.Fluent;
using KeepAlive.Core;
using KeepAlive.Protocols.Ftp;

namespace KeepAlive.Tests.Protocols;

/// <summary>Anything may come from the wire: nothing throws, nothing grows without bound, no byte is lost or made up.</summary>
public sealed class FtpFuzz
{
    private const int Sessions = 60_000;
    private const int PartsPerSession = 12;
    private const int SmallInputs = 2_000_000;
    private const int LongSessions = 100;
    private const int PartsPerLongSession = 2000;

    // What sessions are made of, so that the parser is led deep before it is misled.
    private static readonly string[] Phrases =
    [
        "220 ready\r\n", "220-a\r\n220 b\r\n", "USER u\r\n", "331 p\r\n", "PASS p\r\n", "230 in\r\n", "230-x\r\n 230 y\r\n", "PASV\r\n", "227 (1,2,3,4,200,10)\r\n", "227 none\r\n",
        "EPSV\r\n", "229 (|||5000|)\r\n", "PORT 192,0,2,1,200,10\r\n", "EPRT |1|192.0.2.1|5000|\r\n", "EPRT |2|::1|5000|\r\n", "RETR f\r\n", "STOR f\r\n", "150 go\r\n", "226 end\r\n", "426 cut\r\n",
        "ABOR\r\n", "\u00FF\u00F4\u00FF\u00F2ABOR\r\n", "200 ok\r\n", "500 what\r\n", "257 \"/\"\r\n", "421 bye\r\n", "AUTH TLS\r\n", "234 go\r\n", "350 more\r\n", "REST 1\r\n", "RNFR a\r\n", "NOOP\r\n", "\r\n", "\n", "22", "x", "\0", "450 busy\r\n", "TYPE I\r\n", "STAT\r\n", "211-s\r\n 1\r\n211 e\r\n",
    ];

    // Those that keep a session from becoming plain.
    private static readonly string[] Replies = [.. Phrases.Where(p => p.Length > 4 && char.IsAsciiDigit(p[0]))];
    private static readonly string[] Commands = [.. Phrases.Where(p => p.Length > 4 && char.IsAsciiLetter(p[0]) && p[0] != 'A')];

    [Fact]
    public void Sessions_of_phrases_and_noise_with_probes_in_between()
    {
        for (int seed = 1; seed <= Sessions; seed++)
        {
            var random = new Random(seed);
            var bench = new FtpBench(new FtpOptions { Commands = [.. Enum.GetValues<FtpKeepAliveCommand>()], RandomOrder = true }, seed: (uint)seed);
            bench.Data.Refuse = random.Next(4) == 0;
            for (int part = 0; part < PartsPerSession; part++)
            {
                bench.Data.IsOpen = random.Next(2) == 0;
                bench.Now += TimeSpan.FromSeconds(random.Next(4));
                if (random.Next(5) == 0) bench.Probe();
                if (random.Next(5) == 0) AskDeadline(bench, seed);
                bench.Receive(random.Next(2) == 0 ? Leg.Downstream : Leg.Upstream, Mutate(random, Encoding.Latin1.GetBytes(Phrases[random.Next(Phrases.Length)])));
                Assert.True(bench.Protocol.HeldBytes <= FtpProtocol.HeldBytesMax + 64, $"seed {seed}: {bench.Protocol.HeldBytes} bytes held");
            }

            bench.End(Leg.Downstream);
            bench.End(Leg.Upstream);
        }
    }

    [Fact]
    public void Long_sessions_stay_bounded()
    {
        int parts = 0;
        for (int seed = 1; seed <= LongSessions; seed++)
        {
            var random = new Random(seed);
            FtpBench bench = new FtpBench(new FtpOptions { Commands = [.. Enum.GetValues<FtpKeepAliveCommand>()], RandomOrder = true }, seed: (uint)seed).LogIn();
            for (int part = 0; part < PartsPerLongSession && !bench.Protocol.IsPlain; part++)
            {
                bench.Data.IsOpen = random.Next(2) == 0;
                bench.Now += TimeSpan.FromSeconds(random.Next(10));
                if (random.Next(3) == 0) bench.Probe();
                if (bench.Now >= bench.Protocol.Deadline) AskDeadline(bench, seed);
                if (random.Next(2) == 0) bench.Server(Replies[random.Next(Replies.Length)]);
                else if (!bench.Protocol.IsHolding(Leg.Downstream)) bench.Client(Commands[random.Next(Commands.Length)]);
                parts++;
                Assert.True(bench.Protocol.Owed <= KeepAlivePolicy.CountMax + 1, $"seed {seed}: {bench.Protocol.Owed} answers owed");
                Assert.True(bench.Protocol.PendingCount - bench.Protocol.Owed <= FtpExchange.PendingMax, $"seed {seed}: {bench.Protocol.PendingCount} commands remembered");
                Assert.True(bench.Protocol.HeldBytes <= FtpProtocol.HeldBytesMax, $"seed {seed}: {bench.Protocol.HeldBytes} bytes held");
            }
        }

        Assert.True(parts > LongSessions * PartsPerLongSession / 2, $"only {parts} parts: most sessions became plain");
    }

    [Fact]
    public void Withgivenprobes_every_byte_comes_givenagain()
    {
        for (int seed = 1; seed <= Sessions; seed++)
        {
            var random = new Random(seed);
            var bench = new FtpBench();
            using var client = new MemoryStream();
            using var server = new MemoryStream();
            for (int part = 0; part < PartsPerSession; part++)
            {
                byte[] bytes = Mutate(random, Encoding.Latin1.GetBytes(Phrases[random.Next(Phrases.Length)]));
                Leg from = random.Next(2) == 0 ? Leg.Downstream : Leg.Upstream;
                (from == Leg.Downstream ? client : server).Write(bytes);
                bench.Receive(from, bytes);
            }

            bench.End(Leg.Downstream);
            bench.End(Leg.Upstream);
            if (bench.Data.Opened > 0 || bench.Notes.Any(n => n.Kind == FlowEventKind.Notice)) continue; // an address was rewritten or refused
            Assert.True(client.ToArray().AsSpan().SequenceEqual(bench.ToServer.ToArray()), $"seed {seed}: towards the server\n{Encoding.Latin1.GetString(client.ToArray())}\nbecame\n{bench.ServerSaw}");
            Assert.True(server.ToArray().AsSpan().SequenceEqual(bench.ToClient.ToArray()), $"seed {seed}: towards the client\n{Encoding.Latin1.GetString(server.ToArray())}\nbecame\n{bench.ClientSaw}");
        }
    }

    [Fact]
    public void Readers_of_single_lines_take_anything()
    {
        var random = new Random(1);
        byte[] noise = new byte[40];
        byte[] alphabet = "0123456789,|()EPRTORPASV \r\n\u00FF\u00F2:."u8.ToArray();
        for (int i = 0; i < SmallInputs; i++)
        {
            Span<byte> text = noise.AsSpan(0, random.Next(noise.Length));
            for (int at = 0; at < text.Length; at++) text[at] = alphabet[random.Next(alphabet.Length)];
            FtpCommand command = FtpCommand.Read(text);
            Assert.True(command.UrgentUpTo <= text.Length);
            if (FtpAddress.TryFindSix(text, out Range six, out _)) Assert.True(six.End.Value <= text.Length);
            if (FtpAddress.TryFindExtendedPort(text, out Range port, out int number)) Assert.True(port.End.Value <= text.Length && number is >= 0 and <= 65535);
            FtpAddress.TryReadExtended(text, out _);
        }
    }

    [Fact]
    public void Replies_of_any_bytes_are_given_givenwhole()
    {
        var random = new Random(2);
        byte[] noise = new byte[60];
        byte[] alphabet = "222601---  \r\n\nx"u8.ToArray();
        for (int i = 0; i < SmallInputs / 10; i++)
        {
            var reader = new FtpReplyReader();
            int length = random.Next(noise.Length), given = 0;
            for (int at = 0; at < length; at++) noise[at] = alphabet[random.Next(alphabet.Length)];
            for (int at = 0, part; at < length; at += part)
            {
                part = Math.Min(length - at, random.Next(1, 20));
                ReadOnlySpan<byte> input = noise.AsSpan(at, part);
                FtpReplyStep step;
                while ((step = reader.Read(ref input, out ReadOnlySpan<byte> piece)) is not (FtpReplyStep.NeedMore or FtpReplyStep.Doubt)) given += piece.Length;
                Assert.Equal(at + part, given + reader.Held.Length + input.Length);
                if (step == FtpReplyStep.Doubt) break;
            }
        }
    }

    [Fact]
    public void Bytes_that_FsCheck_thinks_of() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(3000), Prop.ForAll<byte[], byte[], byte[]>((a, b, c) =>
    {
        var bench = new FtpBench();
        foreach ((Leg from, byte[] bytes) in ((Leg, byte[])[])[(Leg.Upstream, a), (Leg.Downstream, b), (Leg.Upstream, c), (Leg.Downstream, a)])
            bench.Receive(from, bytes ?? []);
        bench.End(Leg.Downstream);
        bench.End(Leg.Upstream);
        return bench.ToClient.Length == (a?.Length ?? 0) + (c?.Length ?? 0) && bench.ToServer.Length == (b?.Length ?? 0) + (a?.Length ?? 0);
    }));

    [Fact]
    public void A_line_of_ten_megabytes_costs_no_memory()
    {
        FtpBench bench = new FtpBench().LogIn();
        byte[] chunk = new byte[64 * 1024];
        Array.Fill(chunk, (byte)'a');
        for (int i = 0; i < 160; i++)
        {
            bench.Receive(Leg.Downstream, chunk);
            Assert.True(bench.Protocol.HeldBytes <= FtpProtocol.HeldBytesMax, $"{bench.Protocol.HeldBytes} bytes held");
            Assert.Contains("middle of a command line", bench.Probe().Text, StringComparison.Ordinal);
        }

        bench.Client("\n");
        Assert.Equal((160L * chunk.Length) + 1, bench.ToServer.Length);
        bench.Server("500 too long\r\n");
        Assert.Equal("NOOP", bench.Probe().Text);
    }

    [Fact]
    public void A_million_commands_withgivenreplies_wait_and_end_in_a_plain_relay()
    {
        FtpBench bench = new FtpBench().LogIn();
        byte[] commands = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("SIZE a\r\n", 1000)));
        bench.Receive(Leg.Downstream, commands);
        Assert.True(bench.Protocol.IsHolding(Leg.Downstream));
        Assert.Equal(FtpExchange.PendingMax, bench.Protocol.PendingCount);
        bench.Now = bench.Protocol.Deadline;
        bench.Deadline();
        Assert.True(bench.Protocol.IsPlain && !bench.Protocol.IsHolding(Leg.Downstream));
        for (int i = 1; i < 1000; i++) bench.Receive(Leg.Downstream, commands);
        Assert.Equal(1000L * commands.Length, bench.ToServer.Length);
        Assert.Single(bench.Notes, n => n.Kind == FlowEventKind.PlainRelay);
    }

    [Fact]
    public void A_million_commands_with_replies_stay_understood()
    {
        FtpBench bench = new FtpBench().LogIn();
        byte[] commands = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("SIZE a\r\n", 1000)));
        byte[] replies = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("213 1\r\n", 1000)));
        for (int i = 0; i < 1000; i++)
        {
            bench.Receive(Leg.Downstream, commands);
            bench.Receive(Leg.Upstream, replies);
            Assert.True(bench.Protocol is { IsPlain: false, PendingCount: 0, HeldBytes: 0 });
        }

        Assert.Equal(1000L * commands.Length, bench.ToServer.Length);
        Assert.Equal(1000L * replies.Length, bench.ToClient.Length);
    }

    private static void AskDeadline(FtpBench bench, int seed)
    {
        bench.Deadline();
        Assert.True(bench.Protocol.Deadline > bench.Now, $"seed {seed}: the deadline stays behind, at {bench.Protocol.Deadline}");
    }

    private static byte[] Mutate(Random random, byte[] bytes)
    {
        if (random.Next(3) > 0) return bytes;
        List<byte> list = [.. bytes];
        for (int edits = random.Next(1, 4); edits > 0 && list.Count > 0; edits--)
        {
            int at = random.Next(list.Count);
            switch (random.Next(4))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list.RemoveAt(at); break;
                case 2: list.Insert(at, (byte)random.Next(256)); break;
                default: list.InsertRange(at, list.GetRange(at, Math.Min(8, list.Count - at))); break;
            }
        }

        return [.. list];
    }
}
