namespace KeepAlive.Tests.Tidy;

/// <summary>The rules of the house hold. That each of them can fail is shown beside, in <see cref="TidyRuleTests"/>.</summary>
public sealed class TidyTests
{
    [Fact]
    public void Rooms_refer_to_each_other_as_drawn() => Holds(RoomRules.WrongArrows, SourceTree.Below("src", "*.csproj"));

    [Fact]
    public void Libraries_stand_on_the_base_class_library() => Holds(RoomRules.WrongPackages, SourceTree.Below("src", "*.csproj"));

    [Fact]
    public void Every_project_is_built_and_tested()
    {
        string solution = File.ReadAllText(Path.Combine(SourceTree.Root, "KeepAlive.slnx"));
        // Samples are built of the packages, by the system tests.
        Holds(project => RoomRules.NotInSolution(project, solution), SourceTree.Below(".", "*.csproj").Where(project => !project.Path.StartsWith("samples/", StringComparison.Ordinal)));
    }

    [Fact]
    public void No_native_calls_outside_their_room() => Holds(RoomRules.NativeCalls, SourceTree.Files("src"));

    [Fact]
    public void Files_are_short() => Holds(CodeRules.LongFiles, SourceTree.Files("src", "tests", "bench"));

    [Fact]
    public void Functions_are_short() => Holds(CodeRules.LongFunctions, SourceTree.Files("src", "tests", "bench"));

    [Fact]
    public void Names_say_what_a_type_owns() => Holds(CodeRules.VagueNames, SourceTree.Files("src", "tests", "bench"));

    [Fact]
    public void Nothing_is_left_unfinished() => Holds(CodeRules.LeftMarks, SourceTree.Files("src", "tests", "bench"));

    [Fact]
    public void The_fast_suite_never_waits() => Holds(CodeRules.Waits, SourceTree.Files("tests/KeepAlive.Tests"));

    [Fact]
    public void Words_in_code_are_ours() => Holds(WordRules.InCode, SourceTree.Files("src", "tests", "bench"));

    [Fact]
    public void Words_in_documents_are_ours() => Holds(WordRules.InDocument, SourceTree.Below(".", "*.md"));

    private static void Holds(Func<SourceFile, IEnumerable<string>> rule, IEnumerable<SourceFile> files)
    {
        SourceFile[] all = [.. files];
        Assert.NotEmpty(all);
        string[] complaints = [.. all.SelectMany(rule)];
        Assert.True(complaints.Length == 0, string.Join('\n', complaints));
    }
}
