using System.Net.Sockets;
using KeepAlive.App.Live;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KeepAlive.App.Web;

/// <summary>Kestrel with the page and the API. It reads no configuration but what it is given, logs nothing, and heeds no signal.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping = new();

    private WebServer(WebApplication app, Uri address) => (_app, Address) = (app, address);

    /// <summary>Where it is, the port that the system chose included.</summary>
    public Uri Address { get; private set; }

    /// <summary>All that it answers to: <c>GET /api/v1/flows</c>.</summary>
    public IEnumerable<string> Routes => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []).Select(method => $"{method} {endpoint.RoutePattern.RawText}"));

    /// <summary>Starts it.</summary>
    /// <param name="options">Where, and for whom.</param>
    /// <param name="live">What it shows.</param>
    /// <param name="pageFolder">Where the page's files are; null for those that are part of the program.</param>
    /// <param name="more">Endpoints of others.</param>
    /// <exception cref="IOException">The address is in use.</exception>
    /// <exception cref="SocketException">The address cannot be listened on.</exception>
    public static async Task<WebServer> StartAsync(WebOptions options, LiveState live, string? pageFolder, params IReadOnlyList<Action<IEndpointRouteBuilder>> more)
    {
        // The empty one: no appsettings.json of the current folder, no ASPNETCORE_ environment, no console logging.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = WebListener.Listen);
        builder.WebHost.ConfigureKestrel(kestrel => WebListener.Configure(kestrel, options));
        if (options.Certificate is not null) builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTime);
        var server = new WebServer(builder.Build(), new Uri("http://localhost/"));
        server.Map(options, live, pageFolder, more);
        try
        {
            await server._app.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        server.Address = new Uri(server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/");
        return server;
    }

    /// <summary>Ends the streams, and waits a little for the others.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void Map(WebOptions options, LiveState live, string? pageFolder, IReadOnlyList<Action<IEndpointRouteBuilder>> more)
    {
        var tokens = new WebTokens(options.Token, () => DateTimeOffset.UtcNow);
        var rights = new WebRights(options, tokens);
        var door = new WebDoor(options, rights);
        var state = new StateEndpoints(live, rights);
        var paths = new PathDocument(live);
        _app.Use(next => context => door.PassAsync(context, next));
        _app.UseRouting();
        Action<IEndpointRouteBuilder>[] groups =
        [
            new PageFiles(pageFolder).Map,
            OpenApiFile.Map,
            new LoginEndpoint(tokens).Map,
            state.Map,
            new StreamEndpoint(live, state, paths, _stopping.Token).Map,
            ExplainEndpoint.Map,
            to => to.MapGet("/api/v1/paths", context => Answers.JsonAsync(context, paths.All.Read(LiveState.Now).Json)),
            new MeasurementEndpoints(live.Measurements).Map,
            .. more,
        ];
        foreach (Action<IEndpointRouteBuilder> group in groups) group(_app);
        _app.MapFallback("/api/{**path}", context => Answers.FaultAsync(context, StatusCodes.Status404NotFound, "there is nothing here: /openapi.json tells what there is"));
        _app.UseEndpoints(_ => { });
    }

    // Signals are the daemon's.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
