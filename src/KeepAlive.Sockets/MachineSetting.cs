namespace KeepAlive.Sockets;

/// <summary>One number of a system's own configuration, under the name the system gives it.</summary>
/// <param name="Key">A sysctl with dots between its parts (<c>net.ipv4.tcp_keepalive_time</c>), or a registry value's name.</param>
/// <param name="Value">In the system's own unit (<see cref="MachineKeys.Unit"/>); null where it is not set, or does not exist.</param>
internal readonly record struct MachineSetting(string Key, long? Value);
