using KeepAlive.App;

return await CommandLine.RunAsync(args).ConfigureAwait(false);
