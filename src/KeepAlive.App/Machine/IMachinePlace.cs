using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>Something with keepalive defaults of its own: a network namespace of Linux, a Mac, the registry of Windows.</summary>
internal interface IMachinePlace
{
    /// <summary>Which one, for people.</summary>
    string Name { get; }

    /// <summary>How it names and counts them.</summary>
    MachineKeys Keys { get; }

    /// <summary>The values of <see cref="MachineKeys.All"/> in that order, then <see cref="MachineKeys.AlsoShown"/>; null where one does not exist.</summary>
    /// <exception cref="MachineException">It could not be asked.</exception>
    IReadOnlyList<MachineSetting> Read();

    /// <summary>Sets one.</summary>
    /// <exception cref="MachineException">It was not set.</exception>
    void Write(MachineSetting setting);
}
