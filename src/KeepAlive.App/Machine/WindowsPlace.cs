using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>The registry of Windows, through reg.exe; read by Windows when it starts. Compiled, not run.</summary>
internal sealed class WindowsPlace : IMachinePlace
{
    public static string Program => Path.Combine(Environment.SystemDirectory, "reg.exe");

    public string Name => "the registry";

    public MachineKeys Keys => MachineKeys.Windows;

    public IReadOnlyList<MachineSetting> Read()
    {
        IReadOnlyList<MachineSetting> found = Query(RegistryText.Parameters) ?? throw new MachineException($"{Program}: there is no {RegistryText.Parameters}");
        return [.. Keys.All.Select(key => new MachineSetting(key, found.FirstOrDefault(s => s.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).Value))];
    }

    public void Write(MachineSetting setting) => Change(RegistryText.WriteArguments(RegistryText.Parameters, setting));

    /// <summary>A key's values; null where there is no such key.</summary>
    public static IReadOnlyList<MachineSetting>? Query(string key)
    {
        (int code, string output, _) = OutsideProgram.Run(Program, RegistryText.QueryArguments(key));
        return code == 0 ? RegistryText.Parse(output) : null;
    }

    /// <summary>Runs reg.exe for its effect.</summary>
    public static void Change(IReadOnlyList<string> arguments)
    {
        (int code, _, string error) = OutsideProgram.Run(Program, arguments);
        if (code != 0) throw new MachineException($"reg {string.Join(' ', arguments)} ended with {code}: {error}{(Environment.IsPrivilegedProcess ? "" : ": it needs an administrator")}");
    }
}
