namespace KeepAlive.App.Configuration;

/// <summary>The name that was meant.</summary>
internal static class NearestName
{
    private const int TypedCharsMax = 64;

    /// <summary>The known name nearest to a wrong one, or else all there are.</summary>
    public static string Advice(string typed, IReadOnlyList<string> known)
    {
        string? nearest = typed.Length > TypedCharsMax ? null : known.MinBy(name => Distance(typed, name));
        return nearest is not null && Distance(typed, nearest) <= Math.Max(2, nearest.Length / 3) ? $"did you mean '{nearest}'?" : $"there are {string.Join(", ", known)}";
    }

    // Levenshtein's, whatever the case: letters put in, left out or exchanged.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            (int diagonal, row[0]) = (row[0], i);
            for (int j = 1; j <= b.Length; j++)
            {
                int exchanged = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                (diagonal, row[j]) = (row[j], Math.Min(exchanged, 1 + Math.Min(row[j], row[j - 1])));
            }
        }

        return row[b.Length];
    }
}
