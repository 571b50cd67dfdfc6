using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Protocols.Callers;
using KeepAlive.Protocols.Ssh;

namespace KeepAlive.Tests.Protocols;

/// <summary>The caller of <c>ping ssh://</c> with our SSH server, in memory.</summary>
public sealed class SshCallerTests
{
    private static readonly Instant Now = Instant.Zero + TimeSpan.FromHours(1);

    [Theory]
    [InlineData(null, SshKeepAlive.OpenSshName, "keepalive@openssh.com to the whole session")]
    [InlineData("sftp", SshKeepAlive.ProFtpdName, "keepalive@proftpd.org on channel 0")]
    [InlineData("netconf", SshKeepAlive.OpenSshName, "keepalive@openssh.com to the whole session")] // refused, so that there is no channel
    public void Asks_what_nobody_knows_by_the_channel_that_is_open_else_of_the_session(string? subsystem, string name, string asked)
    {
        var call = new Call(ssh: s => s with { Subsystem = subsystem, KeepAliveName = name });
        Assert.Equal(CallState.Ready, call.Caller.State);
        Assert.Equal("SSH-2.0-KeepAlive_0.1", call.Caller.Peer);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(asked, call.Caller.Ask());
            Assert.Null(call.Caller.TakeAnswer());
            call.Pump();
            Assert.Equal("failure", call.Caller.TakeAnswer());
        }
    }

    [Fact]
    public void Two_answers_that_come_at_once_are_two()
    {
        var call = new Call();
        call.Caller.Ask();
        call.Caller.Ask();
        call.Pump();
        Assert.Equal(("failure", "failure", null), (call.Caller.TakeAnswer(), call.Caller.TakeAnswer(), call.Caller.TakeAnswer()));
    }

    [Fact]
    public void A_question_waits_while_keys_are_exchanged()
    {
        var call = new Call();
        call.Server.Rekey(Now);
        call.ToCaller();
        call.Caller.Clear(); // the client's half of the exchange is on its way for ever
        Assert.NotNull(call.Caller.Ask());
        Assert.True(call.Caller.Said.IsEmpty);
    }

    [Fact]
    public void A_server_that_never_replies_is_not_asked_for_ever()
    {
        var call = new Call();
        for (int i = 0; i < SshReplySlots.Max; i++) Assert.NotNull(call.Caller.Ask());
        Assert.Null(call.Caller.Ask());
        Assert.Equal("64 keepalives were not replied to", call.Caller.Why);
    }

    [Fact]
    public void Its_keepalives_are_answered()
    {
        var call = new Call(server: s => s with { KeepAlive = new SshKeepAlive(3, TimeSpan.FromSeconds(1)) });
        call.Server.OnDeadline(Now + TimeSpan.FromSeconds(2));
        call.Pump();
        Assert.Contains(call.ServerEvents(), e => e.Kind == SshEventKind.ProbeAnswered);
    }

    [Fact]
    public void A_server_that_lets_nobody_in_answers()
    {
        var call = new Call(server: s => s with { LetIn = _ => false });
        Assert.Equal(CallState.Refused, call.Caller.State);
        Assert.Equal("the server does not let 'kat' in", call.Caller.Why);
    }

    [Fact]
    public void A_server_that_speaks_no_algorithm_of_ours_answers()
    {
        var call = new Call(server: s => s with { Offer = SshOffer.Default with { KeyExchanges = ["curve25519-sha256"] } });
        Assert.Equal(CallState.Refused, call.Caller.State);
        Assert.StartsWith("no key exchange in common: the server has curve25519-sha256", call.Caller.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_not_the_one_expected_is_told_with_its_judge_s_words_before_anything_secret_is_said()
    {
        var call = new Call(ssh: s => s with { Judge = key => $"{key.Fingerprint} is a stranger's" });
        Assert.Equal(CallState.Distrusted, call.Caller.State);
        Assert.Equal($"{SshPair.HostKey.Public.Fingerprint} is a stranger's", call.Caller.Why);
        Assert.DoesNotContain(call.ServerEvents(), e => e.Kind == SshEventKind.LoginRefused);
    }

    [Fact]
    public void A_signature_that_is_another_s_is_distrusted()
    {
        // Shows one key and signs by another: what somebody in between would have to do.
        SshPrivateKey own = SshPrivateKey.Generate();
        var call = new Call(server: s => s with { HostKeys = [own] }, change: reply =>
        {
            int at = reply.AsSpan().IndexOf(own.Public.Blob);
            if (at >= 0) SshPair.HostKey.Public.Blob.CopyTo(reply.AsSpan(at));
        });
        Assert.Equal(CallState.Distrusted, call.Caller.State);
        Assert.StartsWith("the server's signature is wrong", call.Caller.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_protocol_is_strange()
    {
        Caller caller = Call.New();
        caller.Begin();
        caller.Hear(System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("220 hello\r\n", 300))));
        Assert.Equal(CallState.Strange, caller.State);
    }

    [Fact]
    public void The_server_s_last_words_are_kept_and_ours_are_said_once()
    {
        var call = new Call();
        Assert.False(call.Caller.Goodbye.IsEmpty);
        Assert.True(call.Caller.Goodbye.Equals(call.Caller.Goodbye));
        call.Server.Receive(call.Caller.Goodbye.Span, Now);
        Assert.Equal("ping is done", call.Server.End!.Text);
        call = new Call();
        call.Server.Disconnect("we close at five");
        call.ToCaller();
        Assert.Equal((CallState.Ready, "we close at five"), (call.Caller.State, call.Caller.LastWords));
        Assert.Null(call.Caller.Ask());
    }

    private sealed class Call
    {
        private readonly Action<byte[]>? _change;
        private readonly List<SshEvent> _events = [];

        public Call(Func<SshServerOptions, SshServerOptions>? server = null, Func<SshCallDetails, SshCallDetails>? ssh = null, Action<byte[]>? change = null)
        {
            _change = change;
            Server = new SshPair(null, server).Server;
            Caller = New(ssh);
            Caller.Begin();
            Server.Begin(Now);
            Pump();
        }

        public SshServer Server { get; }

        public Caller Caller { get; }

        public static Caller New(Func<SshCallDetails, SshCallDetails>? ssh = null)
        {
            var details = new SshCallDetails { Random = RandomNumberGenerator.Fill, Judge = _ => null };
            return CallerList.New("ssh", new CallDetails { Host = "server.example", User = SshPair.User, Password = SshPair.Password, Seed = 7, Ssh = ssh?.Invoke(details) ?? details });
        }

        public List<SshEvent> ServerEvents()
        {
            while (Server.TryTakeEvent(out SshEvent? e)) _events.Add(e);
            return _events;
        }

        public void Pump()
        {
            while (!Caller.Said.IsEmpty || !Server.Output.IsEmpty)
            {
                Server.Receive(Caller.Said, Now);
                Caller.Clear();
                ToCaller();
            }
        }

        public void ToCaller()
        {
            byte[] bytes = Server.Output.ToArray();
            Server.OnSent();
            _change?.Invoke(bytes);
            Caller.Hear(bytes);
        }
    }
}
