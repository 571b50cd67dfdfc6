namespace KeepAlive.App.Gateways;

/// <summary>What <c>--tcp</c> asks for: one SPEC for every leg, or what is known of each leg's path.</summary>
/// <param name="Spec">For every leg, or where nothing is known.</param>
/// <param name="IsByPath">Whether what is known goes first: <c>auto</c>.</param>
internal readonly record struct TcpChoice(KeepAliveSpec Spec, bool IsByPath)
{
    /// <summary>The SPEC where none is given.</summary>
    public const string DefaultText = "60:3:20";

    public static bool TryParse(string text, out TcpChoice value, out string? fault)
    {
        bool isByPath = text.Equals("auto", StringComparison.OrdinalIgnoreCase);
        bool good = KeepAliveSpec.TryParse(isByPath ? DefaultText : text, out KeepAliveSpec spec, out fault);
        value = new TcpChoice(spec, isByPath);
        if (!good) fault += "; or 'auto' for what is known of each path";
        return good;
    }

    /// <summary>What it means in words.</summary>
    public string Describe() => IsByPath ? $"by what is known of each path, and where nothing is, {Spec.Describe()}" : Spec.Describe();

    public override string ToString() => IsByPath ? "auto" : Spec.ToString();
}
