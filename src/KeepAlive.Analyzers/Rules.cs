using Microsoft.CodeAnalysis;

namespace KeepAlive.Analyzers;

/// <summary>What is told, and what each is called.</summary>
internal static class Rules
{
    private const string Category = "KeepAlive";
    private const string Help = "https://learn.microsoft.com/dotnet/api/system.net.sockets.socketoptionname";

    /// <summary>60000 where seconds are asked for.</summary>
    public static readonly DiagnosticDescriptor Milliseconds = New("KA0001", "Keepalive times are in seconds",
        "{0} is in seconds on every system: {1} is {2}; did you mean {3}?", DiagnosticSeverity.Warning);

    /// <summary>A bool or an object where an int is asked for.</summary>
    public static readonly DiagnosticDescriptor WrongOverload = New("KA0002", "The overload does not do what it seems to",
        "{0} with {1}: pass an int, the number of {2}", DiagnosticSeverity.Warning);

    /// <summary>SIO_KEEPALIVE_VALS.</summary>
    public static readonly DiagnosticDescriptor WindowsOnly = New("KA0003", "IOControl(KeepAliveValues) is Windows' alone",
        "IOControl(KeepAliveValues) throws PlatformNotSupportedException everywhere but on Windows: use SetKeepAlive(\"idle:count:interval\")", DiagnosticSeverity.Warning);

    /// <summary>SO_KEEPALIVE with the machine's two hours.</summary>
    public static readonly DiagnosticDescriptor NoIdle = New("KA0004", "Keepalive is on without an idle time",
        "Keepalive is on without an idle time: the first probe goes out after two hours by default, later than most middleboxes remember; use SetKeepAlive(\"60:3:20\")", DiagnosticSeverity.Warning);

    /// <summary>A listener that the kernel will close.</summary>
    public static readonly DiagnosticDescriptor Listener = New("KA0005", "Keepalive on a listening socket",
        "Keepalive on a listening socket: macOS closes the listener when its timer fires; set it on each accepted socket", DiagnosticSeverity.Warning);

    private static DiagnosticDescriptor New(string id, string title, string message, DiagnosticSeverity severity) =>
        new(id, title, message, Category, severity, isEnabledByDefault: true, helpLinkUri: Help);
}
