using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeepAlive.SystemTests.Gateway;
using KeepAlive.SystemTests.Lab;

namespace KeepAlive.SystemTests.Linux;

/// <summary><c>keepalive run</c>: what the program has, and what it does not notice.</summary>
public sealed class RunTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "keepalive");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Prints "SWITCH IDLE COUNT INTERVAL USERTIMEOUT" of a socket.
    private const string Helpers = """
        import os, socket, sys, threading, time
        def options(s): return " ".join(str(s.getsockopt(level, name)) for level, name in ((1, 9), (6, 4), (6, 6), (6, 5), (6, 18)))
        def pair(family=socket.AF_INET, address="127.0.0.1"):
            l = socket.socket(family); l.bind((address, 0)); l.listen()
            a = socket.create_connection(l.getsockname()[:2]); b, _ = l.accept()
            return l, a, b
        def say(*words): os.write(1, (" ".join(map(str, words)) + "\n").encode())

        """;

    public static TheoryData<string> Ways => ["cgroup", "seccomp", "pidfd"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Every_TCP_socket_has_it_and_the_program_cannot_change_it(string via)
    {
        const string Script = Helpers + """
            for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                for s in pair(family, address):
                    s.setsockopt(1, 9, 0); s.setsockopt(6, 4, 600); s.setsockopt(6, 18, 0)
                    say("socket", options(s))
            def many():
                for _ in range(20):
                    for s in pair(): say("socket", options(s)); s.close()
            threads = [threading.Thread(target=many) for _ in range(16)]
            for t in threads: t.start()
            for t in threads: t.join()
            for _ in range(10):
                if os.fork() == 0:
                    for s in pair(): say("socket", options(s))
                    os._exit(0)
                os.wait()
            u, v = socket.socketpair(); u.setsockopt(1, 9, 1); u.sendall(b"x")
            d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); d.connect(("127.0.0.1", 9))
            say("others", v.recv(1), d.getsockopt(1, 9))
            """;
        string[] lines = (await RunAsync(via, Script)).Split('\n');
        string[] sockets = [.. lines.Where(l => l.StartsWith("socket", StringComparison.Ordinal))];
        Assert.Equal(6 + (16 * 20 * 3) + (10 * 3), sockets.Length);
        Assert.Equal(["socket 1 3 3 2 9000"], sockets.Distinct());
        Assert.Contains("others b'x' 0", lines);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_program_keeps_its_pid_exit_code_input_children_and_limits(string via)
    {
        const string Script = """
            import os, resource, signal, sys
            print("pid", os.getpid())
            print(os.getppid() == int(sys.argv[1]), sys.stdin.read(), os.getcwd(), os.getsid(0) == os.getpgrp() == os.getppid())
            print(resource.getrlimit(resource.RLIMIT_NOFILE))
            print([signal.getsignal(s) for s in signal.valid_signals() if s not in (9, 19)], signal.pthread_sigmask(signal.SIG_BLOCK, []))
            print(os.listdir("/proc/self/fd"))
            try: print("child", os.wait())
            except ChildProcessError: print("no child")
            sys.stdout.flush()
            os._exit(43)
            """;
        // A shell whose soft limit is its own, as ulimit -S leaves it: the runtime would raise that of what it starts.
        const string Shell = "\"$@\" $$ <&0 & echo started $!; wait $!; exit $?";
        string[] plain = ["/usr/bin/env", "python3", "-c", Script];
        await using ChildProcess alone = await StartAsync(plain);
        await using ChildProcess run = await StartAsync([Program, "run", "3:3:2", "--via", via, "--", .. plain]);
        Assert.Equal((43, 43), (alone.ExitCode, run.ExitCode));
        string pid = Said(run, "started ");
        Assert.Equal(pid, Said(run, "pid "));
        Assert.Equal(alone.Lines.Where(IsRest), run.Lines.Where(IsRest));
        await GoneAsync(int.Parse(pid, CultureInfo.InvariantCulture));

        static async Task<ChildProcess> StartAsync(string[] command)
        {
            ChildProcess child = await ChildProcess.StartAsync(["prlimit", "--nofile=321:4000", "setsid", "sh", "-c", Shell, "sh", .. command], input: "typed");
            await child.WaitForExitAsync(Patience);
            return child;
        }

        static string Said(ChildProcess child, string what) => child.Lines.Single(l => l.StartsWith(what, StringComparison.Ordinal))[what.Length..];
        static bool IsRest(string line) => !line.StartsWith("started ", StringComparison.Ordinal) && !line.StartsWith("pid ", StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_signal_ends_it_as_it_would_and_nothing_stays(string via)
    {
        string[] command = [Program, "run", "3:3:2", "--via", via, "--", "/usr/bin/env", "python3", "-c", "import signal; print('up', flush=True); signal.pause()"];
        await using ChildProcess run = await ChildProcess.StartAsync(command, environment: new Dictionary<string, string> { ["DOTNET_EnableDiagnostics"] = "1" });
        await run.WaitForLineAsync(l => l == "up", Patience);
        Assert.NotEmpty(Supervisors(run.Id));
        string started = (await File.ReadAllTextAsync($"/proc/{run.Id}/stat", TestContext.Current.CancellationToken)).Split(") ")[^1].Split(' ')[19];
        await run.SignalAsync("TERM");
        await run.WaitForExitAsync(Patience);
        Assert.Equal(128 + 15, run.ExitCode);
        await GoneAsync(run.Id);
        Assert.Empty(Cgroups(run.Id));
        Assert.Empty(Directory.GetFileSystemEntries(Path.GetTempPath(), $"*-{run.Id}-{started}-*")); // what the runtime had there
    }

    [Theory]
    [InlineData("seccomp")]
    [InlineData("pidfd")]
    public async Task Killing_its_supervisor_does_it_no_harm(string via)
    {
        const string Script = Helpers + """
            say("up")
            for line in sys.stdin: pass
            while True:
                for s in pair(): say("socket", options(s)); s.close()
                time.sleep(0.05)
            """;
        await using ChildProcess run = await ChildProcess.StartAsync([Program, "run", "3:3:2", "--via", via, "--", "/usr/bin/env", "python3", "-c", Script]);
        await run.WaitForLineAsync(l => l == "up", Patience);
        for (int round = 0; round < 3; round++)
        {
            int active = (await PairAsync(run.Id)).Min(); // pids rise
            await ChildProcess.RunAsync(["kill", "-KILL", $"{active}"]);
            int before = run.Lines.Count;
            await run.WaitForLineAsync(_ => run.Lines.Count > before + 30, Patience);
        }

        Assert.Equal(["socket 1 3 3 2 9000"], run.Lines.Where(l => l.StartsWith("socket", StringComparison.Ordinal)).Distinct());
        await run.SignalAsync("KILL");
        await run.WaitForExitAsync(Patience);
        await GoneAsync(run.Id);
    }

    [Fact]
    public async Task A_cgroup_needs_no_supervisor_and_the_next_run_removes_what_was_left()
    {
        const string Script = Helpers + "say('up'); time.sleep(1.5)\nfor s in pair(): say('socket', options(s))";
        await using ChildProcess run = await ChildProcess.StartAsync([Program, "run", "3:3:2", "--via", "cgroup", "--", "/usr/bin/env", "python3", "-c", Script]);
        await run.WaitForLineAsync(l => l == "up", Patience);
        foreach (int supervisor in Supervisors(run.Id)) await ChildProcess.RunAsync(["kill", "-KILL", $"{supervisor}"]);
        await run.WaitForExitAsync(Patience);
        Assert.Equal(["up", "socket 1 3 3 2 9000", "socket 1 3 3 2 9000", "socket 1 3 3 2 9000"], run.Lines);
        Assert.Single(Cgroups(run.Id));
        await RunAsync("cgroup", "pass");
        Assert.Empty(Cgroups(run.Id));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Sockets_from_elsewhere_are_found(string via)
    {
        // Made outside, inherited as descriptor 0, connected already.
        const string Outside = """
            import socket, subprocess, sys
            l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen()
            a = socket.create_connection(l.getsockname()); b, _ = l.accept()
            sys.exit(subprocess.run(sys.argv[1:], stdin=a).returncode)
            """;
        const string Inside = Helpers + """
            s = socket.socket(fileno=0)
            until = time.monotonic() + 20
            while options(s) != "1 3 3 2 9000" and time.monotonic() < until: time.sleep(0.05)
            say("inherited", options(s))
            """;
        string said = await ChildProcess.RunAsync(["/usr/bin/env", "python3", "-c", Outside, Program, "run", "3:3:2", "--via", via, "--", "/usr/bin/env", "python3", "-c", Inside]);
        Assert.Equal("inherited 1 3 3 2 9000", said);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_32_bit_program_has_it_too(string via)
    {
        using var work = new WorkFolder();
        using Socket listener = DataEnds.Listen(IPAddress.Loopback);
        string client = await Clients.Build32Async(work, DataEnds.PortOf(listener));
        await using ChildProcess run = await ChildProcess.StartAsync([Program, "run", "3:3:2", "--via", via, "--", client]);
        await run.WaitForExitAsync(Patience);
        Assert.SkipWhen(run.ExitCode == 126, "needs a kernel that runs 32-bit programs");
        Assert.Equal(32, run.ExitCode); // idle 3, interval 2
    }

    [Fact]
    public async Task A_program_that_has_left_our_network_namespace_makes_its_own_sockets()
    {
        const string Script = Helpers + """
            l = socket.socket(); l.bind(("0.0.0.0", 45678)); l.listen()
            until = time.monotonic() + 20
            while options(l) != "1 3 3 2 9000" and time.monotonic() < until: time.sleep(0.05)
            say(options(l), "45678" in os.popen("ss -tlnH").read())
            """;
        string said = await ChildProcess.RunAsync([Program, "run", "3:3:2", "--via", "seccomp", "--", "unshare", "--net", "/usr/bin/env", "python3", "-c", Script]);
        Assert.Equal("1 3 3 2 9000 True", said);
    }

    [Fact]
    public async Task What_cannot_be_is_said_in_a_line()
    {
        using var work = new WorkFolder();
        string ordinary = OrdinaryUser.Program(work);
        (int Code, string Said, string[] Command)[] cases =
        [
            (127, "keepalive run: no-such-program: No such file or directory", [Program, "run", "3:3:2", "--", "no-such-program"]),
            (126, "keepalive run: /etc/passwd: Permission denied", [Program, "run", "3:3:2", "--", "/etc/passwd"]),
            (1, "the kernel allows one", [Program, "run", "3:3:2", "--via", "seccomp", "--", Program, "run", "3:3:2", "--via", "seccomp", "--", "true"]),
            (1, "keepalive run: --via cgroup: ", [.. OrdinaryUser.Prefix, ordinary, "run", "3:3:2", "--via", "cgroup", "--", "true"]),
            (0, "passwd is setuid, which no_new_privs takes its effect", [.. OrdinaryUser.Prefix, ordinary, "run", "3:3:2", "--", "passwd", "--help"]),
            (2, "count 0 is outside 1 to 255", [Program, "run", "3:0:2", "--", "true"]),
            (0, "idle: asked 500ms, effective 1s", [Program, "run", "500ms:3:2", "--", "true"]),
        ];
        foreach ((int code, string said, string[] command) in cases)
        {
            await using ChildProcess run = await ChildProcess.StartAsync(command);
            await run.WaitForExitAsync(Patience);
            Assert.Equal((code, true), (run.ExitCode, run.Transcript.Contains(said, StringComparison.Ordinal) || run.Transcript == said));
        }
    }

    private static Task<string> RunAsync(string via, string script)
    {
        Requires.Programs("python3");
        Assert.SkipUnless(Environment.IsPrivilegedProcess || via != "cgroup", "needs root: to load a BPF program");
        return ChildProcess.RunAsync([Program, "run", "3:3:2", "--via", via, "--", "/usr/bin/env", "python3", "-c", script]);
    }

    // The supervisor of a program and its standby, by the program's pid in their arguments.
    private static List<int> Supervisors(int program) =>
    [
        .. Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _) && IsSupervisor(name!, program))
            .Select(name => int.Parse(name!, CultureInfo.InvariantCulture)),
    ];

    private static bool IsSupervisor(string process, int program)
    {
        try
        {
            string[] words = File.ReadAllText($"/proc/{process}/cmdline").Split('\0');
            return words.Length > 4 && words[1].StartsWith("__s", StringComparison.Ordinal) && words[4] == program.ToString(CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<List<int>> PairAsync(int program)
    {
        for (var patience = DateTime.UtcNow + Patience; DateTime.UtcNow < patience; await Task.Delay(20))
        {
            if (Supervisors(program) is { Count: 2 } pair) return pair;
        }

        throw new TimeoutException($"pid {program} has {Supervisors(program).Count} supervisors, not two");
    }

    private static async Task GoneAsync(int program)
    {
        for (var patience = DateTime.UtcNow + Patience; Supervisors(program).Count > 0; await Task.Delay(20))
            Assert.True(DateTime.UtcNow < patience, $"a supervisor of pid {program} stays");
    }

    private static string[] Cgroups(int program) => Directory.GetDirectories("/sys/fs/cgroup", $"keepalive-run-{program}", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true });
}
