using System.Globalization;
using KeepAlive.Linux.Native;
using KeepAlive.Linux.Processes;
using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>One network namespace of Linux, through the kernel's own files.</summary>
internal sealed class LinuxPlace(NetworkNamespace space) : IMachinePlace
{
    public static LinuxPlace Own => new(NetworkNamespace.Own);

    public NetworkNamespace Namespace => space;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"network namespace {space.Inode}");

    public MachineKeys Keys => MachineKeys.Linux;

    /// <summary>The name of the process through which it is entered; it chose that name itself.</summary>
    public string Process => Texts.Printable(space.Command);

    public IReadOnlyList<MachineSetting> Read() => Inside(() => (IReadOnlyList<MachineSetting>)
        [.. Keys.All.Append(Keys.AlsoShown!).Select(key => new MachineSetting(key, File.Exists(SysctlText.File(key)) ? SysctlText.Number(File.ReadAllText(SysctlText.File(key))) : null))],
        $"reading the keepalive sysctls of {Name}");

    public void Write(MachineSetting setting)
    {
        if (setting.Value is not { } value) return;
        byte[] text = System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{value}\n"));
        Inside(() =>
        {
            // One write: the kernel reads each as a value of its own.
            using var file = File.OpenHandle(SysctlText.File(setting.Key), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(file, text, 0);
            return true;
        }, string.Create(CultureInfo.InvariantCulture, $"writing {setting.Key} = {value} in {Name}"));
    }

    // /proc/sys/net shows the namespace of the thread that opens a file there. Nothing but a result may leave that thread.
    private T Inside<T>(Func<T> work, string doing)
    {
        try
        {
            (T? result, Exception? failure) = space.Run(() =>
            {
                try
                {
                    return (work(), (Exception?)null);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    return ((T?)default, e);
                }
            });
            return failure is null ? result! : throw MachineException.Of(doing, failure);
        }
        catch (SyscallException e)
        {
            throw new MachineException($"entering {Name} (pid {space.Pid}): {e.Message}{(Environment.IsPrivilegedProcess ? "" : ": it needs root")}") { IsNotEntered = true };
        }
    }
}
