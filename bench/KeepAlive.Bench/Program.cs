using KeepAlive.Bench;

// One benchmark per claim of the README; each prints a Markdown table with the machine and the date.
switch (args)
{
    case ["schedule"]:
        ScheduleBench.Run();
        return 0;
    case ["idle"]:
        return await IdleBench.RunAsync().ConfigureAwait(false);
    case ["idle-server", var flows]:
        return await IdlePeers.ServeAsync(int.Parse(flows)).ConfigureAwait(false);
    case ["idle-clients", var target, var flows]:
        return await IdlePeers.ConnectAsync(int.Parse(target), int.Parse(flows)).ConfigureAwait(false);
    case ["list"]:
        return ListBench.Run();
    case ["list-inside"]:
        return await ListBench.RunInsideAsync().ConfigureAwait(false);
    case ["list-holder", var sockets]:
        return await ListBench.HoldAsync(int.Parse(sockets)).ConfigureAwait(false);
    case ["run"]:
        return RunBench.Run();
    default:
        Console.Error.WriteLine("usage: KeepAlive.Bench schedule | idle | list | run");
        return 2;
}
