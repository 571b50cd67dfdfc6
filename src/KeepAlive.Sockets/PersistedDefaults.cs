namespace KeepAlive.Sockets;

/// <summary>Machine defaults that are set again at each start, with those that were there before.</summary>
/// <param name="Meaning">What the values mean, one line of ASCII, for whoever reads the file.</param>
/// <param name="Values">What is set.</param>
/// <param name="Before">What was in force before the first time; put back when it is undone.</param>
internal sealed record PersistedDefaults(string Meaning, IReadOnlyList<MachineSetting> Values, IReadOnlyList<MachineSetting> Before);
