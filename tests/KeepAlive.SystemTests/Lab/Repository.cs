namespace KeepAlive.SystemTests.Lab;

/// <summary>The working copy the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KeepAlive.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"no KeepAlive.slnx above {AppContext.BaseDirectory}");
    }
}
