using KeepAlive.Bench;
using KeepAlive.Bench.Fleet;
using KeepAlive.Bench.Load;

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
    case ["simulate"]:
        return SimulateBench.Run();
    case ["start"]:
        return StartBench.Run();
    case ["micro"]:
        return MicroBench.Run();
    case ["touch"]:
        return MicroBench.RunTouch();
    case ["watch"]:
        WatchBench.Run();
        return 0;
    case ["fleet"]:
        return FleetBench.Simulate();
    case ["fleet", "real", var etcds]:
        return await FleetBench.RealAsync(int.Parse(etcds)).ConfigureAwait(false);
    case ["peers"]:
        return await PeersBench.RunAsync(rounds: 3, isFew: false).ConfigureAwait(false);
    case ["peers", var rounds]:
        return await PeersBench.RunAsync(int.Parse(rounds), isFew: false).ConfigureAwait(false);
    case ["peers", var rounds, "few"]:
        return await PeersBench.RunAsync(int.Parse(rounds), isFew: true).ConfigureAwait(false);
    case ["load-server"]:
        return await LoadServer.RunAsync(isFtp: false).ConfigureAwait(false);
    case ["load-ftp-server"]:
        return await LoadServer.RunAsync(isFtp: true).ConfigureAwait(false);
    case ["load-bulk", var port, var flows, var bytes]:
        return LoadClient.Bulk(int.Parse(port), int.Parse(flows), long.Parse(bytes));
    case ["load-ping", var port, var flows]:
        return LoadClient.PingPong(int.Parse(port), int.Parse(flows), isFtp: false);
    case ["load-ftp", var port, var flows]:
        return LoadClient.PingPong(int.Parse(port), int.Parse(flows), isFtp: true);
    case ["load-accept", var port]:
        return LoadClient.Accept(int.Parse(port));
    case ["load-swallow", var port]:
        return LoadClient.Swallow(int.Parse(port));
    case ["sockmap", var listen, var to]:
        return SockmapRelay.Run(int.Parse(listen), int.Parse(to));
    case ["loop", var listen, var to]:
        return await Relay.LoopAsync(int.Parse(listen), int.Parse(to)).ConfigureAwait(false);
    default:
        Console.Error.WriteLine("usage: KeepAlive.Bench schedule | micro | touch | watch | idle | list | run | simulate | start | fleet [real ETCDS] | peers [ROUNDS [few]]");
        return 2;
}
