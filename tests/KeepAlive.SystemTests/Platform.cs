// Namespaces, real daemons and Unix permissions: there is nothing to run elsewhere.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
