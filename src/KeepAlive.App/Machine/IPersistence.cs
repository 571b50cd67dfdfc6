using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>What makes values stay after a restart, with those from before kept beside them.</summary>
internal interface IPersistence
{
    /// <summary>The file or key, for people.</summary>
    string Where { get; }

    /// <summary>What was persisted; null for nothing.</summary>
    /// <exception cref="MachineException">It cannot be read, or not understood.</exception>
    PersistedDefaults? Read();

    /// <exception cref="MachineException">Nothing was changed.</exception>
    void Write(PersistedDefaults persisted);

    /// <exception cref="MachineException">Nothing was changed.</exception>
    void Remove();

    /// <summary>What may keep these values from being in force after a restart, a line each.</summary>
    IEnumerable<string> Warnings(IReadOnlyList<MachineSetting> settings);
}
