using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary><c>keepalive system set</c>: the running values of every place given, all or none.</summary>
internal static class SetDefaults
{
    public static int Run(IReadOnlyList<IMachinePlace> places, IReadOnlyList<MachineSetting> settings, TextWriter output)
    {
        var change = new MachineChange();
        Apply(change, places, _ => settings, "set");
        Write(change, output);
        Aside(places[0].Keys);
        return CommandLine.Done;
    }

    /// <summary>Sets in all places; when one refuses, says what was put back, and throws.</summary>
    public static void Apply(MachineChange change, IReadOnlyList<IMachinePlace> places, Func<IMachinePlace, IReadOnlyList<MachineSetting>> wanted, string command)
    {
        try
        {
            foreach (IMachinePlace place in places)
            {
                if (Read(place, place == places[0], command) is { } before) change.Set(place, before, wanted(place));
            }
        }
        catch (MachineException)
        {
            Undo(change, command);
            throw;
        }
    }

    // A namespace that may not be entered, or has ended meanwhile, is left out; our own is not.
    private static IReadOnlyList<MachineSetting>? Read(IMachinePlace place, bool isOurs, string command)
    {
        try
        {
            return place.Read();
        }
        catch (MachineException e) when (e.IsNotEntered && !isOurs)
        {
            CommandLine.Complain($"keepalive system {command}: left out: {e.Message}");
            return null;
        }
    }

    public static void Undo(MachineChange change, string command)
    {
        foreach (string line in change.Undo()) CommandLine.Complain($"keepalive system {command}: {line}");
    }

    /// <summary>Before and after, place by place, and what that means.</summary>
    public static void Write(MachineChange change, TextWriter output)
    {
        foreach (IGrouping<IMachinePlace, ChangedSetting> place in change.Settings.GroupBy(s => s.Place))
        {
            output.WriteLine(place.Key.Name);
            int width = place.Max(s => s.After.Key.Length);
            foreach (ChangedSetting s in place)
            {
                string now = s.Place.Keys.Text(s.After);
                output.WriteLine($"  {s.After.Key.PadRight(width)}  {(s.IsSame ? $"{now}, unchanged" : $"{s.Place.Keys.Text(s.Before)} -> {now}")}");
            }

            if (place.Key.Keys.Defaults(place.Select(s => s.After)) is { } defaults) output.WriteLine($"  {defaults.Describe()}");
        }

        output.Flush();
    }

    /// <summary>Whom this does not reach.</summary>
    public static void Aside(MachineKeys keys)
    {
        if (keys == MachineKeys.Linux) CommandLine.Complain("Timers that run already keep their old time until they end ('keepalive list' shows them); programs with numbers of their own keep those.");
    }
}
