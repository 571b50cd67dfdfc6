using System.Net.Sockets;
using KeepAlive.App.Configuration;
using KeepAlive.App.Events;
using KeepAlive.App.Live;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>The page as the configuration has it: only a changed section begins it anew.</summary>
/// <param name="asked">Where it is to be, whatever the configuration says; null for what that says.</param>
/// <param name="pageFolder">Where its files are; null for those that are part of the program.</param>
/// <param name="live">What it shows.</param>
/// <param name="events">Told where it is.</param>
/// <param name="more">Endpoints of others.</param>
internal sealed class RunningPage(WebAddress? asked, string? pageFolder, LiveState live, DaemonEvents events, params IReadOnlyList<Action<IEndpointRouteBuilder>> more) : IAsyncDisposable
{
    private WebServer? _server;
    private WebOptions? _options;
    private WebOptions? _before;
    private (string Kind, string Text)? _news;

    /// <summary>Makes it so.</summary>
    /// <returns>Why it is not; then it is as it was.</returns>
    public async Task<string?> UseAsync(WebOptions configured)
    {
        WebOptions options = asked is null ? configured : configured with { Listen = asked.Listen, IsAsked = true };
        _before = _options;
        if (_options is { } running && Equals(running.Listen, options.Listen) && running.Fingerprint == options.Fingerprint) return null;
        if (DashboardArguments.WhyNot(options) is { } why) return ConfigMember.Renamed($"dashboard: {why}");
        await StopAsync().ConfigureAwait(false);
        if (await StartAsync(options).ConfigureAwait(false) is not { } fault) return null;
        if (_before is not null) await StartAsync(_before).ConfigureAwait(false);
        return fault;
    }

    /// <summary>As it was before the last change, of which the rest was refused.</summary>
    public async Task GoBackAsync()
    {
        if (ReferenceEquals(_before, _options)) return;
        await StopAsync().ConfigureAwait(false);
        if (_before is not null) await StartAsync(_before).ConfigureAwait(false);
        Announce();
    }

    /// <summary>Tells where it is, or why it is not, once all of the configuration is in force.</summary>
    public void Announce()
    {
        if (_news is var (kind, text)) events.Tell(kind, null, text);
        _news = null;
    }

    public ValueTask DisposeAsync() => new(StopAsync());

    // Null when it is there, or when nobody asked for it where it cannot be.
    private async Task<string?> StartAsync(WebOptions options)
    {
        try
        {
            if (options.Listen is not null)
            {
                _server = await WebServer.StartAsync(options, live, pageFolder, more).ConfigureAwait(false);
                _news = ("page", _server.Address.ToString());
            }
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            string fault = $"the page cannot be at {options.Listen}: {(e.GetBaseException() as SocketException)?.Message ?? e.Message}";
            if (options.IsAsked) return $"{fault}: choose another address (--page, or \"dashboard\"), or off";
            _news = ("notice", $"{fault}; there is none: choose another address (--page, or \"dashboard\")");
        }

        _options = options;
        return null;
    }

    private async Task StopAsync()
    {
        (_options, _news) = (null, null);
        if (_server is not { } server) return;
        _server = null;
        await server.DisposeAsync().ConfigureAwait(false);
    }
}
