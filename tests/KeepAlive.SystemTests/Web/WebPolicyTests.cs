using System.Net;
using System.Text.Json;
using KeepAlive.App.Web;
using KeepAlive.SystemTests.Lab;
using KeepAlive.SystemTests.Linux;
using KeepAlive.SystemTests.Up;

namespace KeepAlive.SystemTests.Web;

/// <summary>A policy for a running program, by the API; and what the command line asks it.</summary>
public sealed class WebPolicyTests
{
    [Fact]
    public async Task A_program_gets_a_policy_that_was_shown_before()
    {
        Requires.Programs("python3");
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        await using ChildProcess program = await ChildProcess.StartAsync(["python3", "-c", """
            import socket, signal
            l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(1)
            a = socket.create_connection(l.getsockname()); b, _ = l.accept()
            print(l.getsockname()[1], flush=True); signal.pause()
            """]);
        int port = int.Parse(await program.WaitForLineAsync(line => int.TryParse(line, out _), UpProcess.Patience), System.Globalization.CultureInfo.InvariantCulture);

        JsonElement dry = await ChangeAsync(page, "/api/v1/policy", $$"""{"port":{{port}},"spec":"50:4:15","isDry":true}""");
        Assert.Equal(["off -> 50:4:15", "off -> 50:4:15", "off -> 50:4:15"], Spelled(dry));
        Assert.Equal([false, false], (await OfAsync(page, port)).Select(c => c.GetProperty("keepalive").GetBoolean())); // nothing was changed

        string id = (await OfAsync(page, port))[0].GetProperty("id").GetString()!;
        JsonElement one = await ChangeAsync(page, $"/api/v1/connections/{id}/policy", """{"spec":"50:4:15"}""");
        Assert.Equal(["off -> 50:4:15"], Spelled(one));
        await page.Up.WaitForAsync("changed", 1, "\"name\":\"page\"");
        JsonElement both = await ChangeAsync(page, "/api/v1/policy", $$"""{"port":{{port}},"spec":"50:4:15"}""");
        Assert.Equal(["changed", "changed", "same"], both.GetProperty("changes").EnumerateArray().Select(c => c.GetProperty("kind").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(["50:4:15 110000", "50:4:15 110000"], (await OfAsync(page, port)).Select(Holder.Spell));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await page.WriteAsync(HttpMethod.Post, "/api/v1/policy", """{"spec":"50:4:15"}""")).StatusCode); // which?
    }

    [Fact]
    public async Task The_commands_tell_what_another_daemon_tells_them()
    {
        using var work = new WorkFolder();
        await using WebPage page = await WebPage.StartAsync(work);
        string from = page.Address.ToString().TrimEnd('/');
        string listed = await ChildProcess.RunAsync([UpProcess.Program, "list", "--from", from, "--json", "--port", $"{page.Address.Port}"]);
        Assert.All(Holder.Parse(listed).GetProperty("connections").EnumerateArray(), c => Assert.Contains($":{page.Address.Port}", $"{c.GetProperty("local")} {c.GetProperty("remote")}", StringComparison.Ordinal));
        Assert.Contains("keepalive/", await ChildProcess.RunAsync([UpProcess.Program, "list", "--from", from, "--port", $"{page.Address.Port}"]), StringComparison.Ordinal);
        Assert.StartsWith("FLOW  GATEWAY  LAYER", await ChildProcess.RunAsync([UpProcess.Program, "flows", "--from", from]), StringComparison.Ordinal);
        await using ChildProcess wrong = await ChildProcess.StartAsync([UpProcess.Program, "flows", "--from", $"{from}/x"]);
        await wrong.WaitForExitAsync(UpProcess.Patience);
        Assert.Equal(2, wrong.ExitCode);
    }

    private static async Task<JsonElement> ChangeAsync(WebPage page, string path, string body)
    {
        HttpResponseMessage answer = await page.WriteAsync(HttpMethod.Post, path, body);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{answer.StatusCode}: {text}");
        JsonElement changes = JsonDocument.Parse(text).RootElement, document = JsonDocument.Parse(OpenApiFile.Bytes).RootElement;
        Assert.Empty(new JsonSchemaCheck(document).Faults(changes, document.GetProperty("components").GetProperty("schemas").GetProperty("Changes")));
        return changes;
    }

    private static string[] Spelled(JsonElement changes) => [.. changes.GetProperty("changes").EnumerateArray().Select(c => $"{c.GetProperty("before").GetProperty("spec")} -> {c.GetProperty("after").GetProperty("spec")}")];

    // The answers to two requests may be the same within half a second: until there is a fresh one.
    private static async Task<JsonElement[]> OfAsync(WebPage page, int port)
    {
        long now = (await page.GetAsync("/api/v1/overview")).GetProperty("now").GetInt64();
        using var patience = new CancellationTokenSource(UpProcess.Patience);
        while (true)
        {
            JsonElement answer = await page.GetAsync("/api/v1/connections");
            if (answer.GetProperty("now").GetInt64() > now) return [.. answer.GetProperty("connections").EnumerateArray().Where(c => $"{c.GetProperty("local")} {c.GetProperty("remote")}".Contains($":{port}", StringComparison.Ordinal))];
            await Task.Delay(50, patience.Token);
        }
    }
}
