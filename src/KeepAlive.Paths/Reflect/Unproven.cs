using System.Net;

namespace KeepAlive.Paths.Reflect;

/// <summary>Connections that have proven nothing yet. When there are too many, the oldest of the address with the most of them goes: who floods crowds out himself.</summary>
internal sealed class Unproven(int most)
{
    private readonly LinkedList<(PathLines Lines, IPAddress From)> _all = [];
    private readonly Dictionary<IPAddress, int> _counts = [];

    /// <summary>One more.</summary>
    /// <returns>Where it stands, and which one has to go for it.</returns>
    public (LinkedListNode<(PathLines Lines, IPAddress From)> Place, PathLines? Evicted) Add(PathLines lines, IPAddress from)
    {
        PathLines? evicted = null;
        if (_all.Count >= most)
        {
            IPAddress crowd = _counts.MaxBy(c => c.Value).Key;
            LinkedListNode<(PathLines Lines, IPAddress From)> oldest = _all.First!;
            while (!oldest.Value.From.Equals(crowd)) oldest = oldest.Next!;
            evicted = oldest.Value.Lines;
            Remove(oldest);
        }

        _counts[from] = _counts.GetValueOrDefault(from) + 1;
        return (_all.AddLast((lines, from)), evicted);
    }

    /// <summary>It has proven itself, or is gone; a second time changes nothing.</summary>
    public void Remove(LinkedListNode<(PathLines Lines, IPAddress From)> place)
    {
        if (place.List is null) return;
        _all.Remove(place);
        if (--_counts[place.Value.From] == 0) _counts.Remove(place.Value.From);
    }
}
