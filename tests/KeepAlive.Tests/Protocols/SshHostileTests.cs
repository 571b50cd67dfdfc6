using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using KeepAlive.Core;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Tests.Protocols;

/// <summary>Peers that send what they should not: the session ends by the right code, nothing is thrown, and little is held.</summary>
public sealed class SshHostileTests
{
    private static readonly Instant Now = Instant.Zero + TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", SshReason.VersionNotSupported)]
    [InlineData("SSH-1.5-old\r\n", SshReason.VersionNotSupported)]
    [InlineData("SSH-1.99-both\r\n", SshReason.VersionNotSupported)] // a server's to say
    public void A_client_of_another_protocol_is_told_so(string line, object reasonValue)
    {
        var reason = (SshReason)reasonValue;
        SshServer server = Server();
        server.Receive(Encoding.ASCII.GetBytes(line), Now);
        Assert.Equal(reason, server.End!.Reason);
    }

    [Fact]
    public void A_version_without_end_and_lines_without_end_are_bounded()
    {
        SshServer server = Server();
        server.Receive(Encoding.ASCII.GetBytes("SSH-2.0-" + new string('x', 300)), Now);
        Assert.Equal(SshReason.VersionNotSupported, server.End!.Reason);
        foreach (string line in (string[])[new string('x', 2000), string.Concat(Enumerable.Repeat("banner\r\n", 100))])
        {
            SshClient client = Client();
            client.Receive(Encoding.ASCII.GetBytes(line), Now);
            Assert.Equal(SshReason.VersionNotSupported, client.End!.Reason);
        }
    }

    [Fact]
    public void A_server_may_say_something_before_its_version()
    {
        SshClient client = Client();
        client.Receive("hello\r\nand welcome\nSSH-1.99-both\r\n"u8, Now);
        Assert.Null(client.End);
        Assert.Equal("SSH-1.99-both", client.PeerVersion);
    }

    [Theory]
    [InlineData(35_001u)]
    [InlineData(uint.MaxValue)]
    [InlineData(0x8000_0000u)]
    [InlineData(0u)]
    [InlineData(4u)]
    [InlineData(13u)] // no multiple of the block
    public void A_packet_of_an_impossible_length_is_refused_at_its_head(uint length)
    {
        SshServer server = Server();
        byte[] head = new byte[8];
        BinaryPrimitives.WriteUInt32BigEndian(head, length);
        server.Receive([.. "SSH-2.0-x\r\n"u8, .. head], Now);
        Assert.Equal(SshReason.ProtocolError, server.End!.Reason);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(11)]
    [InlineData(255)]
    public void A_padding_that_does_not_fit_is_refused(byte padding)
    {
        SshServer server = Server();
        server.Receive([.. "SSH-2.0-x\r\n"u8, 0, 0, 0, 12, padding, .. new byte[11]], Now);
        Assert.Equal(SshReason.ProtocolError, server.End!.Reason);
    }

    [Fact]
    public void An_announced_packet_that_never_comes_costs_nothing_and_the_time_runs_out()
    {
        SshServer server = Server();
        long before = GC.GetAllocatedBytesForCurrentThread();
        server.Receive([.. "SSH-2.0-x\r\n"u8, 0, 0, 0x80, 4, .. new byte[8]], Now);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * 1024);
        Assert.Null(server.End);
        server.OnDeadline(server.Deadline);
        Assert.Equal("the login took too long", server.End!.Text);
    }

    public static TheoryData<string> Lists => ["", ",", ",,,,,,", "none", "ecdh-sha2-nistp256x", "curve25519-sha256,ssh-ed25519", new string(',', 3000), new string('a', 3000), "ecdh-sha2-nistp256\0", "kex-strict-s-v00@openssh.com"];

    [Theory]
    [MemberData(nameof(Lists))]
    public void Lists_with_nothing_in_common_end_it(string list)
    {
        SshServer server = Server();
        server.Receive("SSH-2.0-x\r\n"u8, Now);
        string[] names = list.Split(',');
        server.Receive(Clear(SshWriter.Of(SshMessage.KexInit).Raw(new byte[16]).Names(names).Names(names).Names(names).Names(names).Names(names).Names(names).Names(names).Names(names).Names([]).Names([]).Flag(true).Number(0)), Now);
        Assert.Equal(SshReason.KeyExchangeFailed, server.End!.Reason);
        Assert.InRange(server.End.Text.Length, 1, 200);
    }

    [Fact]
    public void A_half_of_the_exchange_that_is_no_point_of_the_curve_ends_it()
    {
        foreach (byte[] point in (byte[][])[[], [4], new byte[65], [4, .. new byte[64]], [4, .. Enumerable.Repeat((byte)255, 64)], [2, .. new byte[32]], [4, .. RandomNumberGenerator.GetBytes(64)]])
        {
            SshServer server = Server();
            server.Receive([.. "SSH-2.0-x\r\n"u8, .. Clear(new SshWriter().Raw(SshKexInit.Write(SshOffer.Default, true, true, RandomNumberGenerator.Fill)))], Now);
            server.Receive(Clear(SshWriter.Of(SshMessage.EcdhInit).Text(point)), Now);
            Assert.Equal(SshReason.KeyExchangeFailed, server.End!.Reason);
        }
    }

    /// <summary>Whoever is in between can send any of it: the key is not even judged before its owner has signed.</summary>
    [Fact]
    public void A_server_that_cannot_sign_is_not_trusted_whatever_it_shows()
    {
        byte[] good = SshPair.HostKey.Public.Blob.ToArray(), point = SshCurve.WritePoint(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256).ExportParameters(false).Q);
        byte[] other = new SshWriter().Text("ecdsa-sha2-nistp256").Text(new SshWriter().Integer([1]).Integer([1]).Bytes).ToArray();
        (byte[] Blob, byte[] Point, byte[] Signature, SshReason Reason)[] replies =
        [
            (good, point, other, SshReason.HostKeyNotVerifiable),
            (good, point, [], SshReason.HostKeyNotVerifiable),
            (good, point, SshPair.HostKey.Sign("ecdsa-sha2-nistp256", [1, 2, 3]), SshReason.HostKeyNotVerifiable),
            (good, [4, .. new byte[64]], other, SshReason.KeyExchangeFailed),
            (good, [], other, SshReason.KeyExchangeFailed),
            ([], point, other, SshReason.KeyExchangeFailed),
            (good[..^1], point, other, SshReason.KeyExchangeFailed),
            ([.. good[..^64], .. new byte[64]], point, other, SshReason.HostKeyNotVerifiable), // a key off its curve
        ];
        foreach ((byte[] blob, byte[] serverPoint, byte[] signature, SshReason reason) in replies)
        {
            int judged = 0;
            var client = new SshPair(c => c with { Offer = SshOffer.Default with { KeyExchanges = ["ecdh-sha2-nistp256"] }, TrustHostKey = _ => ++judged > 0 }).Client;
            client.Begin(Now);
            client.Receive([.. "SSH-2.0-x\r\n"u8, .. Clear(new SshWriter().Raw(SshKexInit.Write(SshOffer.Default, false, true, RandomNumberGenerator.Fill)))], Now);
            client.Receive(Clear(SshWriter.Of(SshMessage.EcdhReply).Text(blob).Text(serverPoint).Text(signature)), Now);
            Assert.Equal((reason, 0), (client.End?.Reason, judged));
        }
    }

    [Theory]
    [InlineData(SshMessage.Ignore)]
    [InlineData(SshMessage.Debug)]
    [InlineData(SshMessage.ServiceRequest)]
    [InlineData(SshMessage.AuthRequest)]
    [InlineData(SshMessage.NewKeys)]
    [InlineData(SshMessage.EcdhInit)]
    [InlineData(SshMessage.GlobalRequest)]
    public void A_strict_exchange_takes_nothing_before_its_time(object number)
    {
        SshServer server = Server();
        SshWriter message = SshWriter.Of((SshMessage)number).Text("");
        server.Receive([.. "SSH-2.0-x\r\n"u8, .. Clear(message), .. Clear(new SshWriter().Raw(SshKexInit.Write(SshOffer.Default, true, true, RandomNumberGenerator.Fill)))], Now);
        Assert.Equal(SshReason.ProtocolError, server.End!.Reason);
    }

    [Theory]
    [InlineData("aes128-gcm@openssh.com", "")]
    [InlineData("aes128-ctr", "hmac-sha2-256-etm@openssh.com")]
    [InlineData("aes256-ctr", "hmac-sha2-512")]
    public void One_bit_changed_on_the_way_ends_it(string cipher, string mac)
    {
        for (int bit = 0; bit < 8 * 40; bit += 7)
        {
            SshPair pair = new SshPair(c => c with { Offer = SshOffer.Default with { Ciphers = [cipher], Macs = mac.Length == 0 ? SshOffer.Default.Macs : [mac] }, KeepAlive = new SshKeepAlive(3, TimeSpan.FromSeconds(1)) }).Begin();
            pair.Client.OnDeadline(pair.Client.Deadline);
            byte[] bytes = pair.Client.Output.ToArray();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            pair.Server.Receive([.. bytes, .. new byte[36_000]], pair.Now); // enough for whatever the length has become
            Assert.True(pair.Server.End is { IsOurs: true, Reason: SshReason.MacError or SshReason.ProtocolError }, $"bit {bit}: {pair.Server.End}");
        }
    }

    [Fact]
    public void Whatever_is_changed_or_left_out_of_a_session_nothing_is_thrown()
    {
        var random = new Random(20261121);
        for (int run = 0; run < 300; run++)
        {
            var pair = new SshPair();
            pair.Client.Begin(pair.Now);
            pair.Server.Begin(pair.Now);
            for (int turn = 0; turn < 12; turn++)
            {
                foreach ((SshSession from, SshSession to) in ((SshSession, SshSession)[])[(pair.Client, pair.Server), (pair.Server, pair.Client)])
                {
                    byte[] bytes = from.Output.ToArray();
                    from.OnSent();
                    if (bytes.Length > 0 && random.Next(6) == 0) bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
                    if (bytes.Length > 0 && random.Next(20) == 0) bytes = bytes[random.Next(bytes.Length)..];
                    to.Receive(bytes, pair.Now);
                }
            }
        }
    }

    [Fact]
    public void Fields_of_every_message_may_be_anything_once_logged_in()
    {
        var random = new Random(7);
        SshPair pair = new SshPair().Begin();
        for (int run = 0; run < 3000; run++)
        {
            if (run % 50 == 0 || pair.Client.End is not null || pair.Server.End is not null) pair = new SshPair().Begin();
            var message = new SshWriter().Byte((byte)random.Next(256));
            for (int field = random.Next(6); field > 0; field--)
            {
                if (random.Next(2) == 0) message.Number((uint)random.Next(3));
                else message.Text(random.Next(3) == 0 ? Encoding.ASCII.GetBytes(((string[])["session", "sftp", "keepalive@openssh.com", "password", "ssh-connection"])[random.Next(5)]) : RandomBytes(random));
            }

            SshSession from = run % 2 == 0 ? pair.Client : pair.Server;
            from.Inject(message);
            pair.Pump();
            Assert.InRange(pair.Client.Output.Length + pair.Server.Output.Length, 0, 100_000);
        }
    }

    [Fact]
    public void Questions_without_end_while_keys_are_exchanged_end_it()
    {
        SshPair pair = new SshPair().Begin();
        pair.Server.Rekey(pair.Now); // whose KEXINIT the client never sees
        for (int i = 0; i < 100_000 && pair.Server.End is null; i++)
        {
            pair.Client.Inject(SshWriter.Of(SshMessage.GlobalRequest).Text("keepalive@openssh.com").Flag(true));
            pair.Server.Receive(pair.Client.Output.Span, pair.Now);
            pair.Client.OnSent();
            while (pair.Server.TryTakeEvent(out _))
            {
            }
        }

        Assert.Equal(SshReason.ProtocolError, pair.Server.End!.Reason);
    }

    /// <summary>RFC 4252 section 4: 20 failures are enough. Guesses by password, and questions whether a key would do.</summary>
    [Theory]
    [InlineData("password")]
    [InlineData("publickey")]
    [InlineData("none")]
    [InlineData("hostbased")]
    public void Nobody_guesses_for_ever(string method)
    {
        int asked = 0, answered = 0;
        var pair = new SshPair(null, s => s with { LetIn = _ => { asked++; return method == "publickey"; } });
        pair.Client.Begin(pair.Now);
        pair.Server.Begin(pair.Now);
        for (int turn = 0; turn < 10 && pair.Client.IsExchangingKeys; turn++)
        {
            pair.Server.Receive(pair.Client.Output.Span, pair.Now);
            pair.Client.OnSent();
            pair.Client.Receive(pair.Server.Output.Span, pair.Now);
            pair.Server.OnSent();
        }

        for (int guess = 0; guess < 100 && pair.Server.End is null; guess++, answered++)
        {
            SshWriter request = SshWriter.Of(SshMessage.AuthRequest).Text(SshPair.User).Text("ssh-connection").Text(method).Flag(false);
            pair.Client.Inject(method == "publickey" ? request.Text(SshPair.HostKey.Public.Kind).Text(SshPair.HostKey.Public.Blob) : request.Text($"guess {guess}"));
            pair.Server.Receive(pair.Client.Output.Span, pair.Now);
            pair.Client.OnSent();
        }

        Assert.Equal((SshReason.NoMoreAuthMethods, 21), (pair.Server.End?.Reason, answered)); // the last is not answered but by the end
        Assert.InRange(asked, 0, 21);
        Assert.False(pair.Server.IsLoggedIn);
    }

    [Fact]
    public void A_window_that_is_overrun_and_bytes_past_the_most_end_it()
    {
        SshPair pair = new SshPair(null, s => s with { BytesMax = 40_000 }).Begin();
        pair.Client.Inject(SshWriter.Of(SshMessage.ChannelData).Number(0).Text(new byte[SshChannel.PieceBytesMax + 1]));
        pair.Pump();
        Assert.Equal(SshReason.ProtocolError, pair.Server.End!.Reason);
        pair = new SshPair(null, s => s with { BytesMax = 40_000 }).Begin();
        for (int i = 0; i < 3; i++) pair.Client.Inject(SshWriter.Of(SshMessage.ChannelData).Number(0).Text((byte[])[0, 0, 0x40, 0, .. new byte[16 * 1024]]));
        pair.Pump();
        Assert.Equal(SshReason.ByApplication, pair.Server.End!.Reason);
    }

    [Fact]
    public void An_sftp_client_finds_one_empty_folder_byte_by_byte()
    {
        var sftp = new SftpResponder();
        string Ask(byte type, SshWriter fields)
        {
            var answers = new SshWriter();
            byte[] request = new SshWriter().Text(new SshWriter().Byte(type).Raw(fields.Bytes).Bytes).ToArray();
            foreach (byte one in request) Assert.True(sftp.TryReceive([one], answers));
            return Convert.ToHexString(answers.Bytes);
        }

        Assert.Equal("000000050200000003", Ask(1, new SshWriter().Number(6))); // VERSION 3
        Assert.StartsWith("00000017680000000700000001000000012F", Ask(16, new SshWriter().Number(7).Text(".")), StringComparison.Ordinal); // NAME, one, "/"
        Assert.Equal("0000000A6600000008000000012F", Ask(11, new SshWriter().Number(8).Text("/"))); // a handle
        Assert.StartsWith("0000002765" + "00000009" + "00000001", Ask(12, new SshWriter().Number(9).Text("/")), StringComparison.Ordinal); // at its end
        Assert.Contains("650000000A00000008", Ask(3, new SshWriter().Number(10).Text("/x")), StringComparison.Ordinal); // nothing to be had
        Assert.False(sftp.TryReceive([0xFF, 0, 0, 0], new SshWriter()));
    }

    /// <summary>NIST SP 800-38A, F.5.1: the counter mode that is built here on the library's block cipher.</summary>
    [Fact]
    public void Counter_mode_gives_the_standard_s_own_vector()
    {
        byte[] key = Convert.FromHexString("2b7e151628aed2a6abf7158809cf4f3c"), counter = Convert.FromHexString("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
        byte[] text = Convert.FromHexString("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        using var ctr = new SshCtr(key, counter, HashAlgorithmName.SHA256, new byte[32], isEtm: false);
        ctr.Seal(0, text, new byte[32]);
        Assert.Equal("874D6191B620E3261BEF6864990DB6CE9806F66B7970FDFF8617187BB9FFFDFF5AE4DF3EDBD5D35E5B4F09020DB03EAB1E031DDA2FBE03D1792170A0F3009CEE", Convert.ToHexString(text));
    }

    private static byte[] RandomBytes(Random random)
    {
        byte[] bytes = new byte[random.Next(40)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static SshServer Server()
    {
        SshServer server = new SshPair().Server;
        server.Begin(Now);
        return server;
    }

    private static SshClient Client()
    {
        SshClient client = new SshPair().Client;
        client.Begin(Now);
        return client;
    }

    // A packet before there are keys.
    private static byte[] Clear(SshWriter payload)
    {
        using var writer = new SshPacketWriter(RandomNumberGenerator.Fill);
        writer.Write(payload.Bytes);
        return writer.Output.ToArray();
    }
}
