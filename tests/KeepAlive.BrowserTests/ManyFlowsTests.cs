using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.BrowserTests.Browser;
using KeepAlive.SystemTests.Lab;
using Microsoft.Playwright;

namespace KeepAlive.BrowserTests;

/// <summary>Ten thousand real flows, and a page that stays as quick as with ten.</summary>
[Collection(Alone.Name)]
public sealed class ManyFlowsTests
{
    private const int Wished = 10_000;
    private const int RowsMax = 80;
    private const int DescriptorsElse = 2000;

    // A frame of 16 ms that becomes one of 100 ms is felt; a machine that is busy with something else has longer frames of both kinds.
    private const int TimesAnEmptyFrame = 6;

    // First frames in which nothing is done; then through all rows in steps, one a frame. Tells how many rows were ever made, and the frames.
    private const string Scroll = """
        async steps => {
            const scroller = document.querySelector(".scroller"), made = { rows: 0 };
            const watch = new MutationObserver(all => all.forEach(m => made.rows += m.addedNodes.length));
            watch.observe(scroller.querySelector(".space"), { childList: true });
            let most = 0;
            const frames = async work => {
                const gaps = [];
                let last = performance.now();
                for (let i = 0; i <= steps; i++) {
                    work(i);
                    await new Promise(requestAnimationFrame);
                    const now = performance.now();
                    gaps.push(now - last);
                    last = now;
                }
                return gaps.sort((a, b) => a - b)[Math.floor(steps / 2)];
            };
            const empty = await frames(() => { });
            const scrolled = await frames(i => {
                scroller.scrollTop = i / steps * (scroller.scrollHeight - scroller.clientHeight);
                most = Math.max(most, scroller.querySelectorAll(".row:not([hidden])").length);
            });
            watch.disconnect();
            return [made.rows, most, scrolled, empty, Number(scroller.lastChild.lastChild.getAttribute("aria-rowindex"))];
        }
        """;

    [Fact]
    public async Task Ten_thousand_flows_scroll_and_filter_smoothly()
    {
        int flows = await RoomForAsync(Wished);
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start(1000);
        var accepted = new List<Socket>(flows);
        Task accepting = AcceptAsync(server, accepted);
        await using LiveDaemon daemon = await LiveDaemon.StartAsync($$"""{ "name": "many", "listen": "127.0.0.1:0", "to": "127.0.0.1:{{((IPEndPoint)server.LocalEndpoint).Port}}", "protocol": "tcp", "tcp": "600:3:10", "noCheck": true }""");
        Socket[] clients = await ConnectAsync(await daemon.Up.PortOfAsync("many"), flows);
        await using Chromium chromium = await Chromium.StartAsync();
        await using LivePage page = await chromium.OpenAsync(daemon.Page, "flows");
        string all = flows.ToString("N0", CultureInfo.InvariantCulture);
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), $"{all} flows");
        await Assertions.Expect(page.Tab.GetByRole(AriaRole.Grid)).ToHaveAttributeAsync("aria-rowcount", $"{flows + 1}");
        await Screenshots.TakeAsync(page, "ten-thousand-flows");

        double[] seen = await page.Tab.EvaluateAsync<double[]>(Scroll, 200);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{flows} flows: {seen[1]} rows exist at most, {seen[0]} made while scrolling, a frame after {seen[2]:0.0} ms (median), an empty one after {seen[3]:0.0} ms"));
        Assert.InRange(seen[1], 5, RowsMax);
        Assert.InRange(seen[0], 0, RowsMax);
        Assert.True(seen[2] < TimesAnEmptyFrame * seen[3], $"half of the frames took longer than {seen[2]:0} ms, empty ones {seen[3]:0} ms");

        // One of them by its port: among ten thousand it is alone, and nothing but it is left.
        string one = ((IPEndPoint)clients[flows / 2].LocalEndPoint!).ToString();
        await page.Tab.GetByLabel("Search flows").FillAsync(one);
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), $"of {all} flows");
        await LivePage.ExpectAsync(page.Row(one).Locator(".state"), "alive");
        await page.Tab.GetByLabel("Search flows").FillAsync("");
        await LivePage.ExpectAsync(page.Tab.Locator(".shown"), $"{all} flows");
        await page.Tab.GetByRole(AriaRole.Grid).Locator(".row[tabindex='0']").FocusAsync();
        await page.Tab.Keyboard.PressAsync("End");
        await Assertions.Expect(page.Tab.Locator(".row:focus")).ToHaveAttributeAsync("aria-rowindex", $"{flows + 1}", new() { Timeout = Patience.Milliseconds });

        server.Stop();
        await accepting;
        foreach (Socket socket in (Socket[])[.. clients, .. accepted]) socket.Dispose();
        await page.Tab.GetByLabel("State").SelectOptionAsync("closed");
        await LivePage.ExpectAsync(page.Rows.First.Locator(".state"), "closed");
        await page.AssertCleanAsync();
    }

    // Two descriptors a flow, here as in the daemon. Where the limit cannot be raised there are as many flows as it has room for.
    private static async Task<int> RoomForAsync(int wished)
    {
        Requires.Programs("prlimit");
        await using ChildProcess raise = await ChildProcess.StartAsync(["prlimit", $"--pid={Environment.ProcessId}", $"--nofile={(2 * wished) + DescriptorsElse}"]);
        await raise.WaitForExitAsync(Patience.Time);
        string line = File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        int limit = int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture), room = Math.Min(wished, (limit - DescriptorsElse) / 2);
        Assert.SkipUnless(room >= 1000, $"needs descriptors: {limit} are too few for flows by the thousand (ulimit -n)");
        if (room < wished) TestContext.Current.TestOutputHelper?.WriteLine($"{room} flows instead of {wished}: there are {limit} descriptors a process, and no right to raise that");
        return room;
    }

    private static async Task AcceptAsync(TcpListener server, List<Socket> accepted)
    {
        try
        {
            while (true) accepted.Add(await server.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private static async Task<Socket[]> ConnectAsync(int port, int count)
    {
        var sockets = new List<Socket>(count);
        foreach (int[] batch in Enumerable.Range(0, count).Chunk(250))
        {
            Socket[] fresh = [.. batch.Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
            sockets.AddRange(fresh);
            await Task.WhenAll(fresh.Select(s => s.ConnectAsync(IPAddress.Loopback, port))).WaitAsync(Patience.Time);
        }

        return [.. sockets];
    }
}
