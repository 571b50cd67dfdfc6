namespace KeepAlive.Gateway.Transparent;

/// <summary>
/// The rules that redirect connections to us, in a table of nftables of our own, in the network namespace we are in.
/// </summary>
/// <remarks>
/// <para>
/// Owned by an <see cref="NftSession"/> it cannot outlive us. Where nft or the kernel (before 5.12) has no such thing, it is an
/// ordinary one, and left behind when we are killed: then connections are redirected to nobody until the next gateway
/// starts, which removes it.
/// </para>
/// <para>The order of the end: no redirect, flows drain, no table. See <see cref="RedirectRules.LettingGo"/>.</para>
/// </remarks>
internal sealed class RedirectTable : IAsyncDisposable
{
    private readonly NftSession? _owner;

    private RedirectTable(NftSession? owner) => _owner = owner;

    /// <summary>This process's table: it has one at most.</summary>
    public static string Name => TableName.Own;

    /// <summary>Whether it goes with this process, however that ends.</summary>
    public bool IsOwned => _owner is not null;

    /// <summary>Done when the rules are gone without our doing: whoever held them was killed.</summary>
    public Task Lost => _owner?.Ended ?? Task.Delay(Timeout.Infinite);

    /// <summary>Removes what dead gateways left, and loads the rules: from then on connections are redirected.</summary>
    /// <exception cref="RedirectException">Not to be done here; nothing was loaded.</exception>
    public static async Task<RedirectTable> AddAsync(RedirectRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        RedirectException.ThrowIfImpossible();
        await RemoveLeftAsync().ConfigureAwait(false);
        var owner = new NftSession();
        try
        {
            await owner.DoAsync(rules.ToText(Name, isOwned: true), Name).ConfigureAwait(false);
            return new RedirectTable(owner);
        }
        catch (RedirectException)
        {
            await owner.DisposeAsync().ConfigureAwait(false);
        }

        // What is wrong with the rules themselves is wrong in this way too, and told.
        await NftProgram.RunAsync(rules.ToText(Name, isOwned: false), "-f", "-").ConfigureAwait(false);
        return new RedirectTable(null);
    }

    /// <summary>New connections go where they are dialled; those that were redirected go on.</summary>
    /// <exception cref="RedirectException">The rules are not to be reached.</exception>
    public Task LetGoAsync()
    {
        string text = RedirectRules.LettingGo(Name);
        return _owner?.DoAsync(text, Name) ?? NftProgram.RunAsync(text, "-f", "-");
    }

    /// <summary>Removes the table.</summary>
    /// <exception cref="RedirectException">It is there still.</exception>
    public async ValueTask DisposeAsync()
    {
        if (_owner is not null) await _owner.DisposeAsync().ConfigureAwait(false);
        else await NftProgram.RunAsync(null, "delete", "table", "inet", Name).ConfigureAwait(false);
    }

    private static async Task RemoveLeftAsync()
    {
        string tables = await NftProgram.RunAsync(null, "list", "tables", "inet").ConfigureAwait(false);
        foreach (string name in tables.Split('\n').Select(line => line.Split(' ')[^1]).Where(TableName.IsLeft))
        {
            try
            {
                await NftProgram.RunAsync(null, "delete", "table", "inet", name).ConfigureAwait(false);
            }
            catch (RedirectException)
            {
                // Owned, so somebody lives; or another gateway that starts now was first.
            }
        }
    }
}
