using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Tests.Protocols;

/// <summary>Our SSH client with our SSH server, in memory: every algorithm, login, re-key, and keepalive in both directions.</summary>
public sealed class SshSessionTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static readonly SshKeepAlive ThreeTimesTwo = new(3, TimeSpan.FromSeconds(2));

    private static readonly SshPrivateKey[] Keys =
        [SshPair.HostKey, SshPrivateKey.Of(ECDsa.Create(ECCurve.NamedCurves.nistP384))!, SshPrivateKey.Of(RSA.Create(2048))!];

    public static TheoryData<string, string> Combinations()
    {
        var all = new TheoryData<string, string>();
        foreach (string cipher in SshOffer.Default.Ciphers)
        {
            foreach (string mac in SshOffer.Default.Macs)
            {
                if (!cipher.Contains("gcm", StringComparison.Ordinal) || mac == SshOffer.Default.Macs[0]) all.Add(cipher, mac);
            }
        }

        return all;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Every_cipher_and_mac_with_every_exchange_and_key(string cipher, string mac)
    {
        foreach (string exchange in SshOffer.Default.KeyExchanges)
        {
            foreach (string host in SshOffer.Default.HostKeys)
            {
                foreach (bool isStrict in (bool[])[true, false])
                {
                    var offer = new SshOffer { KeyExchanges = [exchange], HostKeys = [host], Ciphers = [cipher], Macs = [mac], IsStrict = isStrict };
                    SshPair pair = new SshPair(c => c with { Offer = offer, KeepAlive = ThreeTimesTwo }, s => s with { HostKeys = Keys, Offer = SshOffer.Default with { IsStrict = isStrict } }, piece: 7).Begin();
                    Assert.True(pair.Client.IsLoggedIn && pair.Server.IsLoggedIn, $"{offer}: {pair.Client.End} {pair.Server.End}");
                    Live(pair);
                    pair.Client.Rekey(pair.Now);
                    pair.Pump();
                    Live(pair);
                    pair.Server.Rekey(pair.Now);
                    pair.Pump();
                    Live(pair);
                    Assert.Equal(3, pair.Count(SshEventKind.KeysExchanged));
                    Assert.Contains(exchange, pair.ServerEvents[0].Text, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(int.MaxValue)]
    public void Bytes_may_come_in_any_pieces(int piece)
    {
        SshPair pair = new SshPair(c => c with { KeepAlive = ThreeTimesTwo }, piece: piece).Begin();
        Live(pair);
        Assert.Equal(1, pair.Count(SshEventKind.ChannelOpened));
        Assert.Equal("channel 0: sftp", pair.ServerEvents.Single(e => e.Kind == SshEventKind.ChannelOpened).Text);
    }

    [Fact]
    public void Keys_are_exchanged_anew_after_so_many_bytes_and_both_may_begin_at_once()
    {
        SshPair pair = new SshPair(c => c with { KeepAlive = ThreeTimesTwo, RekeyAfterBytes = 300 }, s => s with { RekeyAfterBytes = 300 }).Begin();
        for (int i = 0; i < 50; i++) Live(pair);
        Assert.InRange(pair.Count(SshEventKind.KeysExchanged), 5, 50);
        pair.Client.Rekey(pair.Now);
        pair.Server.Rekey(pair.Now);
        pair.Pump();
        Live(pair);
    }

    [Fact]
    public void A_user_may_log_in_by_key()
    {
        foreach (SshPrivateKey key in Keys)
        {
            SshPair pair = new SshPair(c => c with { Key = key, Password = null }, s => s with { LetIn = login => key.Public.Equals(login.Key) }).Begin();
            Assert.True(pair.Server.IsLoggedIn);
            SshPair other = new SshPair(c => c with { Key = SshPrivateKey.Generate(), Password = null }, s => s with { LetIn = login => key.Public.Equals(login.Key) }).Begin();
            Assert.False(other.Server.IsLoggedIn);
        }
    }

    [Fact]
    public void Nobody_is_let_in_without_the_right_password()
    {
        SshPair pair = new SshPair(c => c with { Password = "guess" }).Begin();
        Assert.False(pair.Server.IsLoggedIn);
        Assert.Equal(SshReason.NoMoreAuthMethods, pair.Client.End!.Reason);
        Assert.True(pair.Client.End.IsOurs);
        Assert.Equal(new SshEnd(SshReason.NoMoreAuthMethods, "the server does not let 'kat' in", IsOurs: false), pair.Server.End);
        Assert.True(new SshPair(c => c with { Password = null }, s => s with { LetIn = login => login is { Password: null, Key: null } }).Begin().Client.IsLoggedIn);
    }

    [Fact]
    public void A_key_that_is_not_the_one_expected_ends_it_before_anything_secret_is_said()
    {
        SshPair pair = new SshPair(c => c with { TrustHostKey = key => key.Fingerprint == "SHA256:another" }).Begin();
        Assert.Equal(SshReason.HostKeyNotVerifiable, pair.Client.End!.Reason);
        Assert.Contains(SshPair.HostKey.Public.Fingerprint, pair.Client.End.Text, StringComparison.Ordinal);
        Assert.Equal(SshReason.HostKeyNotVerifiable, pair.Server.End!.Reason);
        Assert.DoesNotContain(pair.ServerEvents, e => e.Kind == SshEventKind.LoginRefused);
    }

    [Theory]
    [InlineData("sftp", SshKeepAlive.OpenSshName, "on channel 0")]
    [InlineData("sftp", SshKeepAlive.ProFtpdName, "on channel 0")]
    [InlineData(null, SshKeepAlive.OpenSshName, "to the whole session")]
    [InlineData(null, SshKeepAlive.ProFtpdName, "to the whole session")]
    [InlineData("netconf", SshKeepAlive.ProFtpdName, "to the whole session")] // refused, so that there is no channel
    public void A_probe_goes_by_the_channel_that_is_open_else_by_the_session(string? subsystem, string name, string where)
    {
        SshPair pair = new SshPair(c => c with { Subsystem = subsystem, KeepAlive = new SshKeepAlive(3, 2 * Second, name) }).Begin();
        pair.Pass(9 * Second);
        SshEvent[] probes = [.. pair.ClientEvents.Where(e => e.Kind == SshEventKind.ProbeSent)];
        Assert.Equal(4, probes.Length);
        Assert.All(probes, e => Assert.Equal($"{name} {where}", e.Text));
        Assert.Equal(4, pair.Count(SshEventKind.ProbeAnswered));
        Assert.Equal(4, pair.ServerEvents.Count(e => e.Kind == SshEventKind.ProbeHeard && e.Text == name));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Death_is_found_after_count_times_interval_exactly(int count)
    {
        var keepAlive = new SshKeepAlive(count, 2 * Second);
        Assert.Equal(count * 2 * Second, keepAlive.DetectionTime);
        SshPair pair = new SshPair(null, s => s with { KeepAlive = keepAlive }).Begin();
        pair.Pass(31 * Second);
        Assert.Null(pair.Server.End);
        pair.Client.Rekey(pair.Now); // the last packets come now
        pair.Pump();
        pair.IsClientLost = true;
        pair.Pass((count * 2 * Second) - TimeSpan.FromTicks(1));
        Assert.Null(pair.Server.End);
        pair.Pass(TimeSpan.FromTicks(1));
        Assert.Equal(SshReason.ByApplication, pair.Server.End!.Reason);
        Assert.True(pair.Server.End.IsOurs);
        Assert.Equal(SshReason.ByApplication, pair.Client.End!.Reason); // that direction still works
        Assert.Equal(Instant.Never, pair.Server.Deadline);
    }

    [Fact]
    public void Any_packet_counts_as_life()
    {
        SshPair pair = new SshPair(c => c with { KeepAlive = new SshKeepAlive(3, Second) }, s => s with { KeepAlive = new SshKeepAlive(2, 2 * Second) }).Begin();
        pair.Pass(60 * Second);
        Assert.Equal(0, pair.Count(SshEventKind.ProbeSent, ofClient: false)); // the client's probes are enough
        Assert.InRange(pair.Count(SshEventKind.ProbeAnswered), 55, 60);
    }

    [Fact]
    public void A_round_trip_is_measured()
    {
        SshPair pair = new SshPair(c => c with { KeepAlive = ThreeTimesTwo }).Begin();
        pair.Now = pair.Client.Deadline;
        pair.Client.OnDeadline(pair.Now);
        pair.Now += TimeSpan.FromMilliseconds(35);
        pair.Pump();
        Assert.Equal(TimeSpan.FromMilliseconds(35), pair.ClientEvents.Single(e => e.Kind == SshEventKind.ProbeAnswered).Took);
    }

    [Fact]
    public void Nothing_is_probed_before_the_login_nor_while_keys_are_exchanged()
    {
        var pair = new SshPair(c => c with { KeepAlive = ThreeTimesTwo, SetupTimeout = 20 * Second }) { IsServerLost = true };
        pair.Begin();
        pair.Pass(19 * Second);
        Assert.Equal(0, pair.Count(SshEventKind.ProbeSent));
        pair.Pass(2 * Second);
        Assert.Equal("the login took too long", pair.Client.End!.Text);

        pair = new SshPair(c => c with { KeepAlive = new SshKeepAlive(30, Second), SetupTimeout = 20 * Second }).Begin();
        pair.IsServerLost = true;
        pair.Client.Rekey(pair.Now);
        pair.Pump();
        pair.Pass(19 * Second);
        Assert.Equal(0, pair.Count(SshEventKind.ProbeSent));
        Assert.Null(pair.Client.End);
        pair.Pass(Second);
        Assert.Equal("the exchange of keys took too long", pair.Client.End!.Text);
    }

    [Fact]
    public void Numbers_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new SshKeepAlive(0, Second));
        Assert.Throws<ArgumentException>(() => new SshKeepAlive(256, Second));
        Assert.Throws<ArgumentException>(() => new SshKeepAlive(3, TimeSpan.Zero));
    }

    // A probe of the client's, and its answer.
    private static void Live(SshPair pair)
    {
        int answered = pair.Count(SshEventKind.ProbeAnswered);
        pair.Pass(2 * Second);
        Assert.True(pair.Count(SshEventKind.ProbeAnswered) == answered + 1, $"{pair.Client.End} {pair.Server.End}");
    }
}
