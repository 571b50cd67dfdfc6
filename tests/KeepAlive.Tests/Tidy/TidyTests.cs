namespace KeepAlive.Tests.Tidy;

/// <summary>The rules hold, and each of them can fail.</summary>
public sealed class TidyTests
{
    [Fact]
    public void Rooms_refer_to_each_other_as_drawn()
    {
        string[] wrong = [.. Directory.GetDirectories(Path.Combine(SourceTree.Root, "src")).SelectMany(folder =>
        {
            string room = Path.GetFileName(folder).Replace("KeepAlive.", "", StringComparison.Ordinal);
            return Rules.WrongArrows(room, File.ReadAllText(Path.Combine(folder, $"KeepAlive.{room}.csproj")));
        })];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Files_are_short() => Holds(Rules.LongFiles, "src", "tests", "bench");

    [Fact]
    public void Functions_are_short() => Holds(Rules.LongFunctions, "src");

    [Fact]
    public void Names_say_what_a_type_owns() => Holds(Rules.VagueNames, "src", "tests", "bench");

    [Fact]
    public void Nothing_is_left_unfinished() => Holds(Rules.LeftMarks, "src", "bench");

    [Fact]
    public void Words_are_ours() => Holds(Rules.OtherWords, "src");

    [Fact]
    public void The_fast_suite_never_waits() => Holds(f => f.Path.Contains("/Tidy/", StringComparison.Ordinal) ? [] : Rules.Sleeps(f), "tests/KeepAlive.Tests");

    [Fact]
    public void No_native_calls_outside_their_room() => Holds(f => f.Path.StartsWith("src/KeepAlive.Linux/", StringComparison.Ordinal) ? [] : Rules.NativeCalls(f), "src");

    [Fact]
    public void Each_rule_can_fail()
    {
        string reference = "<Project><ItemGroup><ProjectReference Include=\"../KeepAlive.Gateway/KeepAlive.Gateway.csproj\" /></ItemGroup></Project>";
        Assert.Single(Rules.WrongArrows("Paths", reference));
        Assert.Single(Rules.WrongArrows("Attic", "<Project/>"));
        Assert.Empty(Rules.WrongArrows("App", reference));
        Assert.Single(Rules.LongFiles(Code(new string('\n', Rules.FileLinesMax + 1))));
        Assert.Single(Rules.LongFunctions(Code($"class C {{ void M() {{ {new string('\n', Rules.FunctionLinesMax)} }} }}")));
        Assert.Equal(2, Rules.VagueNames(Code("class FlowManager {} struct TextUtil {} class Flow {}")).Count());
        Assert.Equal(2, Rules.LeftMarks(Code("#region x\n// TODO: later\nint todo;")).Count());
        Assert.Equal(2, Rules.OtherWords(Code("// a heartbeat\n// keep-alive\nvar heartbeat = 1;")).Count());
        Assert.Single(Rules.Sleeps(Code("Thread.Sleep(1);")));
        Assert.Single(Rules.NativeCalls(Code("[LibraryImport(\"libc\")]")));
    }

    private static SourceFile Code(string text) => new("code.cs", text);

    private static void Holds(Func<SourceFile, IEnumerable<string>> rule, params string[] folders)
    {
        string[] complaints = [.. folders.SelectMany(SourceTree.Files).SelectMany(rule)];
        Assert.True(complaints.Length == 0, string.Join('\n', complaints));
    }
}
