using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepAlive.SystemTests.Lab;

/// <summary>One network namespace: a host of the lab.</summary>
public sealed partial class NetworkSpace
{
    private const int CloneNewNet = 0x4000_0000;

    internal NetworkSpace(string name, IPAddress address)
    {
        Name = name;
        Address = address;
    }

    public string Name { get; }

    public IPAddress Address { get; }

    private string Handle => $"/run/netns/{Name}";

    /// <summary>
    /// Starts a program on this host. By nsenter, not <c>ip netns exec</c>: that one also remounts sysfs, slowly, and
    /// hides the cgroup tree.
    /// </summary>
    public Task<ChildProcess> StartAsync(
        IReadOnlyList<string> command, string? folder = null, IReadOnlyDictionary<string, string>? environment = null, string? input = null) =>
        ChildProcess.StartAsync(["nsenter", $"--net={Handle}", "--", .. command], folder, environment, input);

    public Task<string> RunAsync(IReadOnlyList<string> command, string? input = null, CancellationToken cancel = default) =>
        ChildProcess.RunAsync(["nsenter", $"--net={Handle}", "--", .. command], input, cancel);

    /// <summary>
    /// Runs <paramref name="work"/> on a thread that lives on this host. A socket stays where it was created, so it may be
    /// used anywhere afterwards (setns(2): the namespace belongs to the thread).
    /// </summary>
    public Task<T> InsideAsync<T>(Func<T> work)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                using SafeFileHandle space = File.OpenHandle(Handle);
                if (SetNamespace(space, CloneNewNet) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
                done.SetResult(work());
            }
#pragma warning disable CA1031 // Carried to the caller, whatever it is.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                done.SetException(fault);
            }
        })
        { IsBackground = true, Name = Name };
        thread.Start();
        return done.Task;
    }

    /// <summary>
    /// Waits until a server listens. The kernel's own list is asked: a connection to find out would be a session in the server's eyes.
    /// </summary>
    public async Task ListensAsync(int port, ChildProcess server)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!(await RunAsync(["ss", "-Hltn"], cancel: limit.Token)).Contains($":{port} ", StringComparison.Ordinal))
        {
            Assert.True(server.IsRunning, $"'{server.Name}' did not start: {server.Transcript}");
            await Task.Delay(20, limit.Token);
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeHandle space, int kind);
}
