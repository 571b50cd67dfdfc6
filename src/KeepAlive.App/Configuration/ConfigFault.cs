namespace KeepAlive.App.Configuration;

/// <summary>Something in the file that is not right.</summary>
/// <param name="Line">From 1 on.</param>
/// <param name="Column">In characters, from 1 on.</param>
/// <param name="Text">The value, what is allowed, what to do.</param>
internal sealed record ConfigFault(int Line, int Column, string Text)
{
    /// <summary>As compilers tell theirs, so that editors find the place.</summary>
    public string In(string file) => $"{file}:{Line}:{Column}: {Text}";
}
