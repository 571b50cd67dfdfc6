using System.Globalization;
using System.Text;
using KeepAlive.App.Live;
using KeepAlive.App.Measure;
using KeepAlive.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Web;

/// <summary>Measurements of paths, as <c>keepalive measure</c> makes them.</summary>
internal sealed class MeasurementEndpoints(LiveMeasurements measurements)
{
    private const string Root = "/api/v1/measurements";
    private const string MaxDefault = "10m";

    public void Map(IEndpointRouteBuilder to)
    {
        to.MapGet(Root, context => Answers.JsonAsync(context, measurements.Document.Json));
        to.MapPost(Root, StartAsync);
        to.MapGet(Root + "/{id:int}", context => Find(context) is { } found ? Answers.JsonAsync(context, writer =>
        {
            writer.WriteNumber("now", LiveState.Now);
            found.WriteTo(writer, MeasurementDetail.Lanes);
        }) : NoneAsync(context));
        to.MapDelete(Root + "/{id:int}", StopAsync);
    }

    private async Task StartAsync(HttpContext context)
    {
        RequestBody body = await RequestBody.ReadAsync(context).ConfigureAwait(false);
        var faults = new List<string>();
        if (body.Fault is not null) faults.Add(body.Fault);
        if (!HostPort.TryParse(body.Text("to") ?? "", out HostPort to, out string? fault)) faults.Add($"to: {fault}");
        if (!MeasureCommand.MaxText(body.Text("max") ?? MaxDefault, out TimeSpan max, out fault)) faults.Add($"max: {fault}");
        if (faults.Count > 0)
        {
            await Answers.FaultsAsync(context, faults).ConfigureAwait(false);
            return;
        }

        if (measurements.Start(to, max, Encoding.UTF8.GetBytes((body.Text("token") ?? "").Trim())) is not { } started)
        {
            await Answers.FaultAsync(context, StatusCodes.Status429TooManyRequests, $"{LiveMeasurements.RunningMax} measurements run already: wait for one, or stop it").ConfigureAwait(false);
            return;
        }

        context.Response.Headers.Location = string.Create(CultureInfo.InvariantCulture, $"{Root}/{started.Id}");
        await Answers.JsonAsync(context, writer => writer.WriteNumber("id", started.Id), StatusCodes.Status201Created).ConfigureAwait(false);
    }

    private Task StopAsync(HttpContext context)
    {
        if (Find(context) is not { } found) return NoneAsync(context);
        measurements.Remove(found);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private LiveMeasurement? Find(HttpContext context) => measurements.Find(int.Parse((string)context.Request.RouteValues["id"]!, CultureInfo.InvariantCulture));

    private static Task NoneAsync(HttpContext context) => Answers.FaultAsync(context, StatusCodes.Status404NotFound, "there is no such measurement");
}
