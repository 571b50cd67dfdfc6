using System.Text;
using KeepAlive.App.Configuration;

namespace KeepAlive.App.Fleet;

/// <summary>The text of a policy of the fleet, checked as <c>keepalive.json</c> is.</summary>
internal static class FleetPolicyText
{
    /// <summary>What it says; null, and every fault with its line, unless all of it is right.</summary>
    /// <param name="text">JSON, with comments.</param>
    /// <param name="name">What to call it in faults.</param>
    /// <param name="faults">What is wrong.</param>
    public static FleetConfig? Read(string text, string name, out IReadOnlyList<string> faults)
    {
        FleetConfig? read = ConfigReader.ReadFleet(Encoding.UTF8.GetBytes(text), out IReadOnlyList<ConfigFault> all);
        faults = [.. all.Select(fault => fault.In(name))];
        return read;
    }
}
