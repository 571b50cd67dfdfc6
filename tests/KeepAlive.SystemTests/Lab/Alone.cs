namespace KeepAlive.SystemTests.Lab;

/// <summary>Tests that run when no other does: what they show depends on how soon a program is started.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone on the machine";
}
