using System.Runtime.InteropServices;

namespace KeepAlive.Sockets;

/// <summary>Operating systems whose keepalive differs.</summary>
internal enum OsFamily
{
    /// <summary>None of the below: only SO_KEEPALIVE is known to exist.</summary>
    Other,
    Linux,
    MacOS,
    Windows,
    FreeBSD,
    NetBSD,
    OpenBSD,
    Haiku,
    Illumos,
    Solaris,
}

/// <summary>An operating system and its version: the whole input of "what can be set here".</summary>
internal readonly record struct Platform(OsFamily Family, Version Version)
{
    public static Platform Current { get; } = Detect();

    private static Platform Detect()
    {
        OsFamily family = DetectFamily();
        return new Platform(family,
            family == OsFamily.Solaris ? SolarisVersion(RuntimeInformation.OSDescription) : Environment.OSVersion.Version);
    }

    /// <summary>Every Solaris 11 calls itself release 5.11; the update is in uname's version: <c>SunOS 5.11 11.4.42.111.0</c>.</summary>
    public static Version SolarisVersion(string description)
    {
        string[] words = description.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] numbers = words.Length > 2 ? words[2].Split('.') : [];
        return Version.TryParse(string.Join('.', numbers.Take(2)), out Version? version) ? version : new Version(0, 0);
    }

    private static OsFamily DetectFamily()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsAndroid()) return OsFamily.Linux;
        if (OperatingSystem.IsWindows()) return OsFamily.Windows;
        if (OperatingSystem.IsMacOS() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS()) return OsFamily.MacOS;
        if (OperatingSystem.IsFreeBSD()) return OsFamily.FreeBSD;
        (string Name, OsFamily Family)[] others =
        [
            ("NETBSD", OsFamily.NetBSD), ("OPENBSD", OsFamily.OpenBSD), ("HAIKU", OsFamily.Haiku),
            ("ILLUMOS", OsFamily.Illumos), ("SOLARIS", OsFamily.Solaris),
        ];
        return Array.Find(others, other => OperatingSystem.IsOSPlatform(other.Name)).Family;
    }
}
