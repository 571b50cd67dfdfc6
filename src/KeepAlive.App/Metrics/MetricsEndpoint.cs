using System.Text;
using KeepAlive.App.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepAlive.App.Metrics;

/// <summary><c>/metrics</c>, as Prometheus fetches it.</summary>
internal static class MetricsEndpoint
{
    public static Action<IEndpointRouteBuilder> Of(DaemonMetrics metrics) => routes => routes.MapGet("/metrics",
        context => Answers.SendAsync(context, StatusCodes.Status200OK, PrometheusText.ContentType, Encoding.UTF8.GetBytes(metrics.ToPrometheus())));
}
