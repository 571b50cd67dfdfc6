using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary><c>keepalive system persist</c>: values that a restart does not forget, and how to be rid of them.</summary>
internal static class PersistDefaults
{
    private const string Command = "persist";

    /// <summary>
    /// The file first, with the values from before in it: whenever the machine stops, what was there can be put back.
    /// Values kept by an earlier time stay.
    /// </summary>
    public static int Run(IMachinePlace place, IPersistence store, KeepAlivePolicy policy, IReadOnlyList<MachineSetting> settings, TextWriter output)
    {
        PersistedDefaults? earlier = store.Read();
        IReadOnlyList<MachineSetting> running = [.. place.Read().Where(s => place.Keys.All.Contains(s.Key))];
        var persisted = new PersistedDefaults(policy.Describe(), settings, earlier?.Before ?? running);
        store.Write(persisted);
        var change = new MachineChange();
        try
        {
            SetDefaults.Apply(change, [place], _ => settings, Command);
        }
        catch (MachineException)
        {
            if (earlier is null) store.Remove();
            else store.Write(earlier);
            throw;
        }

        SetDefaults.Write(change, output);
        output.WriteLine(store.Where);
        foreach (MachineSetting before in persisted.Before) output.WriteLine($"  kept from before{(earlier is null ? "" : " the first time")}: {before.Key} {place.Keys.Text(before)}");
        output.Flush();
        SetDefaults.Aside(place.Keys);
        foreach (string warning in store.Warnings(settings)) CommandLine.Complain($"keepalive system {Command}: {warning}");
        return CommandLine.Done;
    }

    /// <summary>The running values first, the file last: whenever the machine stops, this can be done again.</summary>
    public static int Remove(IMachinePlace place, IPersistence store, TextWriter output)
    {
        if (store.Read() is not { } persisted)
        {
            CommandLine.Complain($"keepalive system {Command}: nothing to remove: {store.Where} has nothing of ours");
            return CommandLine.Failed;
        }

        var change = new MachineChange();
        SetDefaults.Apply(change, [place], _ => persisted.Before, Command);
        try
        {
            store.Remove();
        }
        catch (MachineException)
        {
            SetDefaults.Undo(change, Command);
            throw;
        }

        SetDefaults.Write(change, output);
        output.WriteLine($"{store.Where}: removed");
        output.Flush();
        foreach (string key in place.Keys.All.Where(key => persisted.Before.All(s => s.Key != key))) CommandLine.Complain($"keepalive system {Command}: {key} stays: no value from before was kept");
        if (place.Keys == MachineKeys.Windows) CommandLine.Complain($"keepalive system {Command}: Windows reads these values when it starts: restart it");
        return CommandLine.Done;
    }
}
