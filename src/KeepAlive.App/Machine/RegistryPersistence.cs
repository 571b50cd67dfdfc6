using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>Windows' registry stays by itself: only the values from before are kept, in a key of ours. Compiled, not run.</summary>
internal sealed class RegistryPersistence : IPersistence
{
    public string Where => RegistryText.Kept;

    public PersistedDefaults? Read() => WindowsPlace.Query(RegistryText.Kept) is { Count: > 0 } before ? new PersistedDefaults("", [], before) : null;

    public void Write(PersistedDefaults persisted)
    {
        foreach (MachineSetting setting in persisted.Before) WindowsPlace.Change(RegistryText.WriteArguments(RegistryText.Kept, setting));
    }

    public void Remove() => WindowsPlace.Change(RegistryText.DeleteArguments(RegistryText.Kept));

    public IEnumerable<string> Warnings(IReadOnlyList<MachineSetting> settings) => ["Windows reads these values when it starts: restart it"];
}
