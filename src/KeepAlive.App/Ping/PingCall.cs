using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Security.Cryptography;
using KeepAlive.Core;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tls;
using KeepAlive.Protocols;
using KeepAlive.Protocols.Callers;
using KeepAlive.Sockets;

namespace KeepAlive.App.Ping;

/// <summary>Whom to open sessions with, and how: what a URL and the options about it come to.</summary>
internal sealed class PingCall(PingUrl url, CallDetails details, TlsUpstream? tls)
{
    private const int FtpsPort = 990;

    private static readonly Option<string?> Ca = new("--ca") { Description = "TLS: trust the roots in this PEM file in place of the machine's", HelpName = "FILE" };
    private static readonly Option<string?> TlsName = new("--tls-name") { Description = "TLS: the server's name, where the URL has an address or another name", HelpName = "NAME" };

    /// <summary>The options about a URL.</summary>
    public static Option[] Options { get; } = [Ca, TlsName, .. SshCall.Options];

    /// <summary>Reads them, and asks for a password where one is needed.</summary>
    /// <returns>False when they make no sense; the fault says why and what to do.</returns>
    public static bool TryRead(ParseResult parsed, PingUrl url, [NotNullWhen(true)] out PingCall? call, [NotNullWhen(false)] out string? fault)
    {
        (call, fault) = (null, null);
        TlsUpstream? tls = null;
        if (!url.Scheme.IsTls && (parsed.GetValue(Ca) ?? parsed.GetValue(TlsName)) is not null) fault = $"--ca and --tls-name are for TLS, which {url.Scheme.Name}:// has none of";
        try
        {
            if (url.Scheme.IsTls) tls = TlsUpstream.Load(parsed.GetValue(TlsName) ?? url.To.Host, parsed.GetValue(Ca), url.Scheme.Alpn);
        }
        catch (TlsFileException e)
        {
            fault = e.Message;
        }

        if (fault is not null) return false;
        if (!SshCall.TryRead(parsed, url, out SshCallDetails? ssh, out string? bad))
        {
            fault = bad!;
            return false;
        }

        call = new PingCall(url, new CallDetails
        {
            Host = url.Host,
            Path = url.Path,
            User = url.User ?? (url.Scheme.IsSsh ? Environment.UserName : null), // as ssh does
            Password = SshCall.HasIdentity(parsed) ? Password.Given(url) : Password.For(url),
            Seed = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint))),
            Ssh = ssh,
        }, tls);
        return true;
    }

    /// <summary>Reads a URL, for the command line.</summary>
    public static bool ReadUrl(string text, out PingUrl value, out string? fault)
    {
        bool good = PingUrl.TryParse(text, out PingUrl? url, out fault);
        value = url!;
        return good;
    }

    /// <summary>Opens a session, and probes it.</summary>
    public async Task<PingVerdict> PingAsync(PingPlan plan, PingReport report, PingTally tally, Task stop)
    {
        using var stopping = new CancellationTokenSource();
        _ = stop.ContinueWith(_ => stopping.Cancel(), TaskScheduler.Default);
        Instant dialled = MonotonicClock.Now;
        try
        {
            using Socket socket = await new Dialer(plan.Timeout).DialAsync(url.To, stopping.Token).ConfigureAwait(false);
            TimeSpan connected = MonotonicClock.Now - dialled;
            new KernelProbe(socket).Watch();
            using ServerLeg? leg = await OpenAsync(socket, plan.Timeout, stopping.Token).ConfigureAwait(false);
            if (leg is null) return PingVerdict.Silent(PeerContact.Read(socket), plan.Timeout, "no TLS was to be had");
            Protocol? protocol = url.Scheme.NewProtocol(plan.Policy.Idle, MonotonicClock.Now, details.Seed);
            Caller caller = CallerList.New(leg.Alpn == CallerList.Http2 ? CallerList.Http2 : url.Scheme.ProtocolName, details);
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
    private async Task<ServerLeg?> OpenAsync(Socket socket, TimeSpan timeout, CancellationToken stopping)
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
}
