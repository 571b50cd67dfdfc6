using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>A Mac, through sysctl(8). Compiled, not run.</summary>
internal sealed class MacPlace : IMachinePlace
{
    public string Name => "this Mac";

    public MachineKeys Keys => MachineKeys.MacOS;

    public IReadOnlyList<MachineSetting> Read()
    {
        string[] keys = [.. Keys.All, Keys.AlsoShown!];
        (int code, string output, string error) = OutsideProgram.Run(MacSysctlText.Program, MacSysctlText.ReadArguments(keys));
        IReadOnlyList<MachineSetting> found = MacSysctlText.Parse(output);
        if (found.Count == 0) throw new MachineException($"{MacSysctlText.Program} ended with {code}: {error}");
        return [.. keys.Select(key => new MachineSetting(key, found.LastOrDefault(s => s.Key == key).Value))];
    }

    public void Write(MachineSetting setting)
    {
        if (setting.Value is null) return;
        (int code, _, string error) = OutsideProgram.Run(MacSysctlText.Program, MacSysctlText.WriteArguments(setting));
        if (code != 0) throw new MachineException($"{MacSysctlText.Program} {setting.Key}={setting.Value} ended with {code}: {error}{(Environment.IsPrivilegedProcess ? "" : ": it needs root")}");
    }
}
