using System.Globalization;

namespace KeepAlive.Bench;

/// <summary>
/// What <c>keepalive run</c> costs a program: its start, each socket(2), and each connection; beside the program alone
/// and, where Debian's libkeepalive0 is there, its LD_PRELOAD hook, which reaches dynamic programs only.
/// </summary>
internal static class RunBench
{
    private const int Rounds = 15;

    // Prints microseconds for each socket() and close(), and for each connect() and accept() over loopback.
    private const string Script = """
        import socket, time
        def best(work, count):
            took = []
            for _ in range(5):
                begun = time.perf_counter()
                for _ in range(count): work()
                took.append((time.perf_counter() - begun) / count * 1e6)
            return min(took)
        l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(64)
        to = l.getsockname()
        def make(): socket.socket().close()
        def talk():
            a = socket.socket(); a.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0"); a.connect(to); b, _ = l.accept(); a.close(); b.close()
        print(best(make, 2000), best(talk, 500))
        """;

    private static readonly string[] Vias = ["cgroup", "seccomp", "pidfd"];
    private static readonly string[] Hooks = ["/usr/lib/libkeepalive.so", "/usr/lib/libkeepalive.so.0"];

    public static int Run()
    {
        (string Name, string[] Prefix)[] ways =
        [
            ("alone", []),
            .. Vias.Select(via => ($"`keepalive run --via {via}`", (string[])[Machine.Program, "run", "60:4:15", "--via", via, "--"])),
            .. Hooks.Where(File.Exists).Take(1).Select(hook => ("LD_PRELOAD=libkeepalive.so", (string[])["env", $"LD_PRELOAD={hook}", "KEEPALIVE=on", "KEEPIDLE=60", "KEEPINTVL=15", "KEEPCNT=4"])),
        ];
        Console.WriteLine($"{Machine.Describe()}; start: {Rounds} rounds, median (minimum to maximum); sockets: the best of 5 runs\n");
        if (!Hooks.Any(File.Exists)) Console.WriteLine("libkeepalive.so is not here: 'apt-get install libkeepalive0' brings it\n");
        WallTime[] starts = WallTime.Of(Rounds, [.. ways.Select(way => (string[])[.. way.Prefix, "true"])]);
        Console.WriteLine("| | start of `true` | socket(), close() | connect(), accept(), two close() |\n| --- | --- | --- | --- |");
        foreach (((string name, string[] prefix), WallTime start) in ways.Zip(starts))
        {
            double[] figures = [.. WallTime.Output([.. prefix, "python3", "-c", Script]).Split(' ').Select(f => double.Parse(f, CultureInfo.InvariantCulture))];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {start} | {figures[0]:0.0} µs | {figures[1]:0.0} µs |"));
        }

        return 0;
    }
}
