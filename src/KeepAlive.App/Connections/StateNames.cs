using KeepAlive.Linux.Diag;

namespace KeepAlive.App.Connections;

/// <summary>The states by the names that ss(8) filters by.</summary>
internal static class StateNames
{
    private static readonly (TcpState State, string Name)[] All =
    [
        (TcpState.Established, "established"), (TcpState.SynSent, "syn-sent"), (TcpState.SynReceived, "syn-recv"), (TcpState.FinWait1, "fin-wait-1"),
        (TcpState.FinWait2, "fin-wait-2"), (TcpState.TimeWait, "time-wait"), (TcpState.Closed, "closed"), (TcpState.CloseWait, "close-wait"),
        (TcpState.LastAck, "last-ack"), (TcpState.Listening, "listening"), (TcpState.Closing, "closing"),
    ];

    public static string Of(TcpState state)
    {
        foreach ((TcpState known, string name) in All)
            if (known == state) return name;
        return "unknown";
    }

    /// <summary>Names with commas between them, <c>all</c> for every one.</summary>
    public static bool Read(string text, out TcpStates value, out string? fault)
    {
        value = default;
        fault = null;
        foreach (string name in text.Split(','))
        {
            TcpStates before = value;
            if (name == "all") value = TcpStates.All;
            foreach ((TcpState state, string known) in All)
                if (known == name) value = value.With(state);
            if (value != before || Array.Exists(All, known => known.Name == name)) continue;
            fault = $"'{name}' is no state: give some of {string.Join(", ", All.Select(known => known.Name))} with commas between them, or all";
            return false;
        }

        return true;
    }
}
