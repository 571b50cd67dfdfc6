using System.CommandLine;
using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.App.Gateways;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tls;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Callers;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary><c>keepalive ping URL</c>: is that server alive, on its own layer?</summary>
internal static class PingCommand
{
    private const int FtpsPort = 990;
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly KeepAlivePolicy PolicyDefault = new(TimeSpan.FromSeconds(1), 3, TimeSpan.FromSeconds(1));

    private static readonly Argument<PingUrl> Url = CommandLine.Argument<PingUrl>("URL", "SCHEME://[USER@]HOST[:PORT][/PATH], the scheme one of " + string.Join(", ", PingScheme.All.Select(s => s.Name)), ReadUrl);
    private static readonly Option<int> Count = CommandLine.Option("--count", "How many probes", Texts.NumberWithin(1, 1_000_000), "4");
    private static readonly Option<TimeSpan?> Interval = CommandLine.Option<TimeSpan?>("--interval", "From an answer to the next probe: in place of the policy's idle", OptionalDuration);
    private static readonly Option<KeepAlivePolicy?> Policy = CommandLine.Option<KeepAlivePolicy?>("--policy", "When a probe goes, and when the server is dead: idle:count:interval; 1:3:1 unless given", ReadPolicy);
    private static readonly Option<TimeSpan> Idle = CommandLine.Option("--idle", "Be silent for so long before the first probe: does the path survive that?", Texts.DurationWithin(TimeSpan.Zero, TimeSpan.FromDays(1)), "0");
    private static readonly Option<TimeSpan> Timeout = CommandLine.Option("--timeout", "How long connecting may take, and then opening the session", Texts.DurationWithin(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1)), "10s");
    private static readonly Option<string?> Ca = new("--ca") { Description = "Trust the roots in this PEM file in place of the machine's", HelpName = "FILE" };
    private static readonly Option<string?> TlsName = new("--tls-name") { Description = "The server's name in TLS, where the URL has an address or another name", HelpName = "NAME" };
    private static readonly Option<bool> Json = new("--json") { Description = "One JSON object a line" };

    public static Command Create()
    {
        var command = new Command("ping", "Is that server alive, on its own layer? Exit 0: it answers; 1: it does not; 2: misused.") { Url, Count, Interval, Policy, Idle, Timeout, Ca, TlsName, Json };
        foreach (Option option in SshCall.Options) command.Options.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(parsed));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed)
    {
        PingUrl url = parsed.GetValue(Url)!;
        TlsUpstream? tls = null;
        if (!url.Scheme.IsTls && (parsed.GetValue(Ca) ?? parsed.GetValue(TlsName)) is not null) return Misused($"--ca and --tls-name are for TLS, which {url.Scheme.Name}:// has none of");
        try
        {
            if (url.Scheme.IsTls) tls = TlsUpstream.Load(parsed.GetValue(TlsName) ?? url.To.Host, parsed.GetValue(Ca), url.Scheme.Alpn);
        }
        catch (TlsFileException e)
        {
            return Misused(e.Message);
        }

        if (!SshCall.TryRead(parsed, url, out SshCallDetails? ssh, out string? fault)) return Misused(fault!);
        uint seed = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        var call = new CallDetails
        {
            Host = url.Host,
            Path = url.Path,
            User = url.User ?? (url.Scheme.IsSsh ? Environment.UserName : null), // as ssh does
            Password = SshCall.HasIdentity(parsed) ? Password.Given(url) : Password.For(url),
            Seed = seed,
            Ssh = ssh,
        };
        KeepAlivePolicy policy = parsed.GetValue(Policy) ?? PolicyDefault;
        if (parsed.GetValue(Interval) is { } every) policy = new KeepAlivePolicy(every, policy.Count, policy.Interval);
        var plan = new PingPlan(policy, parsed.GetValue(Count), parsed.GetValue(Idle), parsed.GetValue(Timeout));
        var report = new PingReport(parsed.InvocationConfiguration.Output, parsed.GetValue(Json));
        var tally = new PingTally();
        using var signals = new StopSignals();
        PingVerdict verdict = await PingAsync(url, call, tls, plan, report, tally, signals.First).ConfigureAwait(false);
        report.Summary(tally, verdict);
        return verdict.Outcome == PingOutcome.Alive ? CommandLine.Done : CommandLine.Failed;
    }

    private static async Task<PingVerdict> PingAsync(PingUrl url, CallDetails call, TlsUpstream? tls, PingPlan plan, PingReport report, PingTally tally, Task stop)
    {
        using var stopping = new CancellationTokenSource();
        _ = stop.ContinueWith(_ => stopping.Cancel(), TaskScheduler.Default);
        Instant dialled = MonotonicClock.Now;
        try
        {
            using Socket socket = await new Dialer(plan.Timeout).DialAsync(url.To, stopping.Token).ConfigureAwait(false);
            TimeSpan connected = MonotonicClock.Now - dialled;
            new KernelProbe(socket).Watch();
            using ServerLeg? leg = await OpenAsync(socket, url, tls, plan.Timeout, stopping.Token).ConfigureAwait(false);
            if (leg is null) return PingVerdict.Silent(PeerContact.Read(socket), plan.Timeout, "no TLS was to be had");
            Protocol? protocol = url.Scheme.NewProtocol(plan.Policy.Idle, MonotonicClock.Now, call.Seed);
            Caller caller = CallerList.New(leg.Alpn == CallerList.Http2 ? CallerList.Http2 : url.Scheme.ProtocolName, call);
            using var owned = caller as IDisposable;
            if (caller.Proof == ProofOfLife.Kernel && plan.Policy.Idle < KernelProbe.IdleMin) plan = plan with { Policy = new KeepAlivePolicy(KernelProbe.IdleMin, plan.Policy.Count, plan.Policy.Interval) };
            string what = $"{url.Scheme.Name}://{url.To}{(leg.TlsVersion is { } version ? $" ({version}{(leg.Alpn is { } alpn ? $", {alpn}" : "")})" : "")}";
            var session = new PingSession(leg, protocol, caller, plan, report, tally) { OnReady = _ => report.Ready(caller.Peer is { } peer ? $"{what} ({peer})" : what, connected, MonotonicClock.Now - dialled) };
            return await session.RunAsync(stop).ConfigureAwait(false);
        }
        catch (DialException e)
        {
            return Undialled(e);
        }
        catch (ServerLegException e)
        {
            return e.Error is SocketError.ConnectionReset ? new PingVerdict(PingOutcome.Refused, $"reset: {e.Message}") : new PingVerdict(PingOutcome.Strange, $"no session was to be had: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            return new PingVerdict(PingOutcome.Stopped, "stopped before there was a verdict");
        }
    }

    // Null when it takes too long.
    private static async Task<ServerLeg?> OpenAsync(Socket socket, PingUrl url, TlsUpstream? tls, TimeSpan timeout, CancellationToken stopping)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        time.CancelAfter(timeout);
        try
        {
            return await ServerLeg.OpenAsync(socket, tls, url.Scheme.Name == "ftps" && url.To.Port != FtpsPort, time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    private static PingVerdict Undialled(DialException e) =>
        e.Attempts.Any(a => a.Error is SocketError.ConnectionRefused or SocketError.ConnectionReset) ? new(PingOutcome.Refused, $"refused: {e.Message}")
        : e.Attempts.Any(a => a.Error == SocketError.TimedOut) ? new(PingOutcome.Dead, $"dead: nothing acknowledged: {e.Message}")
        : new(PingOutcome.Unreachable, $"unreachable: {e.Message}");

    private static int Misused(string fault)
    {
        CommandLine.Complain($"keepalive ping: {fault}");
        return CommandLine.Misused;
    }

    private static bool ReadUrl(string text, out PingUrl value, out string? fault)
    {
        bool good = PingUrl.TryParse(text, out PingUrl? url, out fault);
        value = url!;
        return good;
    }

    private static bool ReadPolicy(string text, out KeepAlivePolicy? value, out string? fault)
    {
        value = Texts.Spec(text, out KeepAliveSpec spec, out fault) ? spec.Policy : null;
        if (fault is null && value is null) fault = $"'{text}' has no numbers: give idle:count:interval, such as 1:3:1";
        return fault is null;
    }

    private static bool OptionalDuration(string text, out TimeSpan? value, out string? fault)
    {
        bool good = Texts.DurationWithin(Millisecond, TimeSpan.FromDays(1))(text, out TimeSpan duration, out fault);
        value = good ? duration : null;
        return good;
    }
}
