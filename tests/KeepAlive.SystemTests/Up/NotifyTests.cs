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
        // As systemd does: the watchdog is named for the first process, and a successor inherits that.
        string[] named = ["sh", "-c", "case \"$*\" in *--upgrade*) export WATCHDOG_PID=1;; *) export WATCHDOG_PID=$$;; esac; exec \"$0\" \"$@\"", UpProcess.Program];
        await using UpProcess up = await UpProcess.StartAsync(work, "{}", prefix: named, environment: new Dictionary<string, string>
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

        // Whose the unit is from then on is told by the one that is heard until then, and the other one is alive in its place.
        // Heard meanwhile, as systemd does: the kernel holds few datagrams that nobody reads, and then the sender.
        Task<string> told = HearAsync(socket, "MAINPID=");
        await using UpProcess next = await up.UpgradeAsync();
        Assert.Equal($"MAINPID={next.Id}", await told);
        Assert.Contains("READY=1", await HearAsync(socket, "READY=1"), StringComparison.Ordinal);
        Assert.Equal(0, await up.EndedAsync());
        await HearAsync(socket, "WATCHDOG=1");
        Task<int> stopped = next.StopAsync();
        await HearAsync(socket, "STOPPING=1");
        Assert.Equal(0, await stopped);
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
