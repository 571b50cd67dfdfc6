using System.Diagnostics;
using System.Globalization;

namespace KeepAlive.Bench.Fleet;

/// <summary>Members of a real etcd on this machine, as it comes: with its own timing, and every write on the disk.</summary>
internal sealed class EtcdProcess : IDisposable
{
    private const int ClientPort = 22379;

    private readonly string _folder = Directory.CreateTempSubdirectory("keepalive-bench-etcd").FullName;
    private readonly string[][] _arguments;
    private readonly Process?[] _members;

    public EtcdProcess(int members)
    {
        // Each has an address of its own, from which nobody dials out: so it finds its ports free when it comes back.
        string AddressOf(int i) => string.Create(CultureInfo.InvariantCulture, $"127.77.0.{i + 1}");
        Endpoints = [.. Enumerable.Range(0, members).Select(i => new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{AddressOf(i)}:{ClientPort}")))];
        string PeerOf(int i) => string.Create(CultureInfo.InvariantCulture, $"http://{AddressOf(i)}:{ClientPort + 1}");
        string initial = string.Join(',', Enumerable.Range(0, members).Select(i => $"m{i}={PeerOf(i)}"));
        string ClientOf(int i) => Endpoints[i].GetLeftPart(UriPartial.Authority);
        _arguments = [.. Enumerable.Range(0, members).Select(i => new[] { "--name", $"m{i}", "--data-dir", Path.Combine(_folder, $"m{i}"), "--log-level", "error",
            "--listen-client-urls", ClientOf(i), "--advertise-client-urls", ClientOf(i), "--listen-peer-urls", PeerOf(i), "--initial-advertise-peer-urls", PeerOf(i),
            "--initial-cluster", initial, "--initial-cluster-token", _folder })];
        _members = new Process?[members];
    }

    public Uri[] Endpoints { get; }

    public void Start()
    {
        for (int i = 0; i < _members.Length; i++) _members[i] = Process.Start(new ProcessStartInfo(Path.Combine(Machine.Root, ".cache/servers/etcd-server/usr/bin/etcd"), _arguments[i]) { RedirectStandardError = false })!;
    }

    /// <summary>Ends all members at once; what they have written stays.</summary>
    public void Kill()
    {
        foreach (Process? member in _members)
        {
            member?.Kill();
            member?.WaitForExit();
            member?.Dispose();
        }

        Array.Clear(_members);
    }

    /// <summary>Processor time of all members since they were started.</summary>
    public double CpuSeconds => _members.Sum(m => Machine.CpuSeconds(m!.Id));

    /// <summary>Resident memory of the biggest member.</summary>
    public double ResidentMiB => _members.Max(m => Machine.ResidentKiB(m!.Id)) / 1024.0;

    /// <summary>Database of one member, on the disk.</summary>
    public double DatabaseMiB => new FileInfo(Path.Combine(_folder, "m0/member/snap/db")).Length / 1048576.0;

    public void Dispose()
    {
        Kill();
        Directory.Delete(_folder, recursive: true);
    }
}
