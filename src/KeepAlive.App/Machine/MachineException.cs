namespace KeepAlive.App.Machine;

/// <summary>The machine refused, or told something else than it should: one line that names the thing, the call and what to do.</summary>
internal sealed class MachineException(string message) : Exception(message)
{
    /// <summary>The place could not be entered: no right to it, or it has ended meanwhile, as namespaces do with their processes.</summary>
    public bool IsNotEntered { get; init; }

    /// <summary>For a file: what was tried, on what, and why not.</summary>
    public static MachineException Of(string what, Exception e)
    {
        // Where .NET has an exception of its own for a refusal, the errno is in the one inside.
        Exception call = e.InnerException ?? e;
        return new MachineException($"{what}: {Name(call.HResult)} ({call.Message}){(e is UnauthorizedAccessException ? ": it needs root" : "")}");
    }

    // The same on Linux and macOS (errno.h).
    private static string Name(int errno) => errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        13 => "EACCES",
        20 => "ENOTDIR",
        21 => "EISDIR",
        22 => "EINVAL",
        28 => "ENOSPC",
        30 => "EROFS",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"error {errno}"),
    };
}
