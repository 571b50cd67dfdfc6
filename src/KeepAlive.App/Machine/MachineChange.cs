using KeepAlive.Sockets;

namespace KeepAlive.App.Machine;

/// <summary>A value that was to be changed.</summary>
/// <param name="Place">Where.</param>
/// <param name="Before">What it was.</param>
/// <param name="After">What was asked for, and is in force now.</param>
internal sealed record ChangedSetting(IMachinePlace Place, MachineSetting Before, MachineSetting After)
{
    public bool IsSame => Before.Value == After.Value;
}

/// <summary>Values set in places, all or none: each is read back, and <see cref="Undo"/> puts back what was written.</summary>
internal sealed class MachineChange
{
    private readonly List<ChangedSetting> _settings = [];

    /// <summary>Everything asked for so far, values that were so already included.</summary>
    public IReadOnlyList<ChangedSetting> Settings => _settings;

    /// <summary>Sets these values in a place.</summary>
    /// <param name="place">Where.</param>
    /// <param name="before">What was read there.</param>
    /// <param name="wanted">What shall be.</param>
    /// <exception cref="MachineException">One was not set, or is not what was set: the caller undoes the rest.</exception>
    public void Set(IMachinePlace place, IReadOnlyList<MachineSetting> before, IEnumerable<MachineSetting> wanted)
    {
        foreach (MachineSetting setting in wanted)
        {
            var change = new ChangedSetting(place, Of(before, setting.Key), setting);
            if (!change.IsSame) place.Write(setting);
            _settings.Add(change);
            if (change.IsSame) continue;
            MachineSetting now = Of(place.Read(), setting.Key);
            if (now.Value != setting.Value) throw new MachineException($"{setting.Key} in {place.Name}: wrote {place.Keys.Text(setting)}, reads {place.Keys.Text(now)}");
        }
    }

    /// <summary>Puts back what was written, the last first; a line for each value.</summary>
    public IReadOnlyList<string> Undo()
    {
        var lines = new List<string>();
        foreach (ChangedSetting change in Enumerable.Reverse(_settings).Where(s => !s.IsSame))
        {
            string text = $"{change.Before.Key} in {change.Place.Name} to {change.Place.Keys.Text(change.Before)}";
            try
            {
                change.Place.Write(change.Before);
                lines.Add($"put back {text}");
            }
            catch (MachineException e)
            {
                lines.Add($"could not put back {text}: {e.Message}");
            }
        }

        _settings.Clear();
        return lines;
    }

    private static MachineSetting Of(IReadOnlyList<MachineSetting> settings, string key) => settings.FirstOrDefault(s => s.Key == key) is { Key: not null } found ? found : new MachineSetting(key, null);
}
