using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Up;

/// <summary>What systemd is told (sd_notify(3)), and asked to do.</summary>
public sealed class NotifyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ready_alive_reloading_and_stopping_are_told(bool isAbstract)
    {
        using var work = new WorkFolder();
        string name = isAbstract ? $"@keepalive-test-{Guid.NewGuid():N}" : work.File("notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name[1..] : name));
        await using UpProcess up = await UpProcess.StartAsync(work, "{}", environment: new Dictionary<string, string>
        {
            ["NOTIFY_SOCKET"] = name,
            ["WATCHDOG_USEC"] = "500000",
        });
        Assert.Contains("READY=1", await HearAsync(socket, "READY=1"), StringComparison.Ordinal);
        for (int i = 0; i < 3; i++) await HearAsync(socket, "WATCHDOG=1");
        await up.SignalAsync("HUP");
        Match reloading = Regex.Match(await HearAsync(socket, "RELOADING=1"), "^RELOADING=1\nMONOTONIC_USEC=([0-9]+)$");
        // The kernel's own: seconds since boot, which may be less than those of suspended time.
        double uptime = double.Parse((await File.ReadAllTextAsync("/proc/uptime")).Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.InRange(double.Parse(reloading.Groups[1].Value, CultureInfo.InvariantCulture) / 1e6, 1, uptime + 1);
        await HearAsync(socket, "READY=1");
        Task<int> stopped = up.StopAsync();
        await HearAsync(socket, "STOPPING=1");
        Assert.Equal(0, await stopped);
    }

    [Fact]
    public async Task Systemd_finds_no_fault_in_the_unit()
    {
        Requires.Programs("systemd-analyze");
        using var work = new WorkFolder();
        string unit = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "eng/keepalive.service"))).Replace("/usr/local/bin/keepalive", UpProcess.Program, StringComparison.Ordinal);
        Assert.Empty(await ComplaintsAsync(work.Folder("good"), unit));
        Assert.NotEmpty(await ComplaintsAsync(work.Folder("bad"), unit.Replace("WatchdogSec=30", "WatchdogSec=often", StringComparison.Ordinal))); // it does look
    }

    // Those about our unit: what else is wrong with this machine's is not ours.
    private static async Task<string[]> ComplaintsAsync(string folder, string unit)
    {
        string file = Path.Combine(folder, "keepalive.service");
        await File.WriteAllTextAsync(file, unit);
        await using ChildProcess verify = await ChildProcess.StartAsync(["systemd-analyze", "verify", "--man=no", file]);
        await verify.WaitForExitAsync(UpProcess.Patience);
        return [.. verify.Lines.Where(line => line.Contains("keepalive.service", StringComparison.Ordinal))];
    }

    private static async Task<string> HearAsync(Socket socket, string first)
    {
        byte[] datagram = new byte[1024];
        while (true)
        {
            int length = await socket.ReceiveAsync(datagram).WaitAsync(UpProcess.Patience);
            string text = Encoding.UTF8.GetString(datagram, 0, length);
            if (text.StartsWith(first, StringComparison.Ordinal)) return text;
        }
    }
}
