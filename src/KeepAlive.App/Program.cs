using KeepAlive.App;
using KeepAlive.Linux.Launch;

if (!Supervisor.IsAsked(args)) return await CommandLine.RunAsync(args).ConfigureAwait(false);
Supervisor.Run(args);
return 0;
