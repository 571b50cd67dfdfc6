using System.CommandLine;
using KeepAlive.App.Gateways;
using KeepAlive.App.Machine;
using KeepAlive.App.Measure;
using KeepAlive.Gateway;
using KeepAlive.Gateway.Tuning;

namespace KeepAlive.App.Configuration;

/// <summary>A gateway of the file.</summary>
/// <param name="Name">Its own: by it a gateway of the next reading is the same one.</param>
/// <param name="Options">What it does.</param>
/// <param name="Fingerprint">
/// All that it was made of, files with the time they were written: another one is another gateway. The policy is part of it only where
/// paths have their own: else it can be changed while flows live.
/// </param>
/// <param name="Parsed">All of it.</param>
internal sealed record GatewayConfig(string Name, GatewayOptions Options, string Fingerprint, ParseResult Parsed)
{
    /// <summary>How long flows have to end when it is stopped.</summary>
    public TimeSpan Drain => GatewayCommand.DrainOf(Parsed);

    /// <summary>Whether its server is dialled once at start.</summary>
    public bool IsChecked => GatewayCommand.IsChecked(Parsed);

    /// <summary>What is known of its paths, and tuned.</summary>
    /// <exception cref="MachineException">What is known cannot be read.</exception>
    public GatewayOptions WithPaths(PathStore store, Action<TunedPath> keep) => Options with { Paths = TuneArguments.Read(Parsed, store, keep) };
}
