namespace KeepAlive.App;

/// <summary>Which network namespaces of Linux are meant.</summary>
internal enum NetnsScope
{
    /// <summary>Ours.</summary>
    Own,

    /// <summary>Every one with processes in it, ours first.</summary>
    All,
}
