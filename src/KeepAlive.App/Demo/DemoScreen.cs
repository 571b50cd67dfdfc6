using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KeepAlive.App.Demo;

/// <summary>Draws a scene on a terminal as it happens.</summary>
internal static class DemoScreen
{
    private static readonly TimeSpan Cell = TimeSpan.FromMilliseconds(200);
    private const int BarCells = 40;

    public static async Task DrawAsync(DemoScene scene, Task act) => await AnsiConsole.Live(Draw(scene)).StartAsync(async context =>
    {
        while (!act.IsCompleted)
        {
            context.UpdateTarget(Draw(scene));
            context.Refresh();
            await Task.WhenAny(act, Task.Delay(Cell / 2)).ConfigureAwait(false);
        }

        context.UpdateTarget(Draw(scene));
    }).ConfigureAwait(false);

    private static Rows Draw(DemoScene scene)
    {
        int done = (int)(scene.Transferred * BarCells);
        string bar = new string('█', done) + new string('░', BarCells - done);
        string control = scene.ControlLine(Cell).Replace("✗", "[red]✗ forgotten[/]", StringComparison.Ordinal)
            .Replace("●", "[yellow]●[/]", StringComparison.Ordinal).Replace("◆", "[green]◆[/]", StringComparison.Ordinal);
        string elapsed = string.Create(CultureInfo.InvariantCulture, $"{scene.Elapsed.TotalSeconds,5:0.0}s");
        IRenderable[] rows =
        [
            new Markup($"[bold]{Markup.Escape(scene.Title)}[/]  {elapsed}"),
            new Markup($"  data     {bar} {scene.Transferred:P0}"),
            new Markup($"  control  {control}"),
            new Markup("[dim]           · reply or command   ● NOOP from the gateway   ◆ its answer[/]"),
        ];
        return new Rows(rows);
    }
}
