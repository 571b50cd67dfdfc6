namespace KeepAlive.App.Events;

/// <summary>Where events go, besides stdout.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Kinds">Which ones; empty for all.</param>
internal abstract record EventTarget(string Name, IReadOnlySet<string> Kinds)
{
    public bool Wants(ToldEvent e) => Kinds.Count == 0 || Kinds.Contains(e.Kind);

    /// <summary>The same text is the same place.</summary>
    public virtual bool Equals(EventTarget? other) => other is not null && EqualityContract == other.EqualityContract && Name == other.Name && Kinds.SetEquals(other.Kinds);

    public override int GetHashCode() => HashCode.Combine(EqualityContract, Name);

    /// <summary>Not started yet.</summary>
    public abstract EventSink Open();
}

/// <summary>A file, an object a line.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Kinds">Which events; empty for all.</param>
/// <param name="Path">The whole path.</param>
/// <param name="BytesMax">From so many bytes on another file is begun.</param>
/// <param name="Keep">How many of the earlier ones stay: <c>PATH.1</c> is the youngest.</param>
internal sealed record FileTarget(string Name, IReadOnlySet<string> Kinds, string Path, long BytesMax, int Keep) : EventTarget(Name, Kinds)
{
    public override EventSink Open() => new FileSink(this);
}

/// <summary>A web address that events are posted to.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Kinds">Which events; empty for all.</param>
/// <param name="Address">http or https.</param>
/// <param name="Token">For <c>Authorization: Bearer</c>; null for none.</param>
internal sealed record WebhookTarget(string Name, IReadOnlySet<string> Kinds, Uri Address, string? Token) : EventTarget(Name, Kinds)
{
    public override EventSink Open() => new WebhookSink(this);
}
