namespace KeepAlive.Tests.Tidy;

/// <summary>Each rule fails on code that breaks it, says where and what to do, and leaves alone what does not.</summary>
public sealed class TidyRuleTests
{
    private static SourceFile Code(string text, string path = "code.cs") => new(path, text);

    private static SourceFile Project(string room, params string[] items) =>
        new($"src/KeepAlive.{room}/KeepAlive.{room}.csproj", $"<Project>\n<ItemGroup>\n{string.Join('\n', items)}\n</ItemGroup>\n</Project>\n");

    [Fact]
    public void Arrows()
    {
        string[] both = ["<ProjectReference Include=\"../KeepAlive.Core/KeepAlive.Core.csproj\" />", "<ProjectReference Include=\"..\\KeepAlive.Gateway\\KeepAlive.Gateway.csproj\" />"];
        Assert.Equal("src/KeepAlive.Paths/KeepAlive.Paths.csproj:4: Paths refers to Gateway: it may refer to Core, Protocols, Sockets only; hand it in from App",
            Assert.Single(RoomRules.WrongArrows(Project("Paths", both))));
        Assert.Equal(2, RoomRules.WrongArrows(Project("Core", both)).Count());
        Assert.Empty(RoomRules.WrongArrows(Project("App", both)));
        Assert.Contains("Attic is a room that no rule knows", Assert.Single(RoomRules.WrongArrows(Project("Attic"))), StringComparison.Ordinal);
        Assert.Single(RoomRules.WrongArrows(Project("App", "<ProjectReference Include=\"../../tests/KeepAlive.Tests/KeepAlive.Tests.csproj\" />")));
    }

    [Fact]
    public void Packages()
    {
        string[] packages = ["<PackageReference Include=\"Polly\" />", "<PackageReference Include=\"System.Formats.Asn1\" />", "<PackageReference Include=\"Some.Analyzers\" PrivateAssets=\"all\" />"];
        Assert.StartsWith("src/KeepAlive.Core/KeepAlive.Core.csproj:3: Core brings in Polly: ", Assert.Single(RoomRules.WrongPackages(Project("Core", packages))), StringComparison.Ordinal);
        Assert.Empty(RoomRules.WrongPackages(Project("App", packages)));
    }

    [Fact]
    public void Solution()
    {
        Assert.Empty(RoomRules.NotInSolution(Project("Core"), "<Project Path=\"src/KeepAlive.Core/KeepAlive.Core.csproj\" />"));
        Assert.Single(RoomRules.NotInSolution(Project("Core"), "<Project Path=\"src/KeepAlive.App/KeepAlive.App.csproj\" />"));
    }

    [Theory]
    [InlineData("class C\n{\n    [LibraryImport(\"libc\")] static partial int close(int fd);\n}", 1)]
    [InlineData("class C\n{\n    [System.Diagnostics.Conditional(\"X\"), DllImport(\"libc\")] static extern int close(int fd);\n}", 1)]
    [InlineData("// [DllImport]\nclass DllImport { string s = \"[DllImport]\"; }", 0)]
    public void Native_calls(string code, int complaints)
    {
        string[] found = [.. RoomRules.NativeCalls(Code(code))];
        Assert.Equal(complaints, found.Length);
        Assert.All(found, complaint => Assert.StartsWith("code.cs:3: ", complaint, StringComparison.Ordinal));
        Assert.Empty(RoomRules.NativeCalls(Code(code, "src/KeepAlive.Linux/Calls.cs")));
    }

    [Theory]
    [InlineData(400, "\n", 0)]
    [InlineData(401, "\n", 1)]
    [InlineData(400, "\n// no line end", 1)]
    public void Long_files(int lines, string end, int complaints)
    {
        string[] found = [.. CodeRules.LongFiles(Code(new string('\n', lines - 1) + end))];
        Assert.Equal(complaints, found.Length);
        Assert.All(found, complaint => Assert.StartsWith("code.cs:401: a file of 401 lines", complaint, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("class C {\n void M() {", "} }")]
    [InlineData("class C {\n C() {", "} }")]
    [InlineData("class C {\n int P {\n get {", "} } }")]
    [InlineData("class C {\n void M() => Run(() => {", "}); }")]
    [InlineData("class C {\n public static C operator +(C a, C b) {", "} }")]
    [InlineData("void local() {", "}")]
    public void Long_functions(string begin, string end)
    {
        Assert.Empty(CodeRules.LongFunctions(Code(begin + new string('\n', CodeRules.FunctionLinesMax - 1) + end)));
        string complaint = CodeRules.LongFunctions(Code(begin + new string('\n', CodeRules.FunctionLinesMax) + end)).First();
        Assert.Equal($"code.cs:{begin.Count(c => c == '\n') + 1}: a function of 60 lines, more than 59: give its parts names", complaint);
    }

    [Fact]
    public void Vague_names()
    {
        Assert.Equal(
            ["code.cs:2: the name FlowManager says nothing: name it for what it owns", "code.cs:3: the name TextUtil says nothing: name it for what it owns",
                "code.cs:4: the name IService says nothing: name it for what it owns", "code.cs:5: the name ProbeHelpers says nothing: name it for what it owns"],
            CodeRules.VagueNames(Code("class Flow {}\nclass FlowManager {}\nstruct TextUtil {}\ninterface IService {}\nenum ProbeHelpers {}\nrecord ServiceBus;")));
    }

    [Fact]
    public void Left_marks()
    {
        string[] found = [.. CodeRules.LeftMarks(Code("#region x\n// TODO: later\n/* FIXME */\nclass C { int M() => throw new NotImplementedException(); }\n#endregion\n/// <summary>HACK</summary>\nclass D;"))];
        Assert.Equal(5, found.Length);
        Assert.Contains("code.cs:1: #region: a file that needs regions holds several nouns; split it", found);
        Assert.Contains("code.cs:2: TODO: finish it or take it out", found);
        Assert.Contains("code.cs:4: NotImplementedException: finish it or take it out", found);
        Assert.Empty(CodeRules.LeftMarks(Code("int todo = 1; string s = \"TODO\"; // todos")));
    }

    [Fact]
    public void Waits()
    {
        Assert.Equal("code.cs:2: Task.Delay depends on time passing: the fast suite has a clock of its own; hand in the time", Assert.Single(CodeRules.Waits(Code("\nawait Task.Delay(1);"))));
        foreach (string wait in (string[])["Thread.Sleep(1);", "System.Threading.Thread.Sleep(1);", "var now = DateTime.UtcNow;", "var w = Stopwatch.StartNew();", "var w = new Stopwatch();"])
            Assert.NotEmpty(CodeRules.Waits(Code(wait)));
        Assert.Empty(CodeRules.Waits(Code("// Thread.Sleep\nstring s = \"Task.Delay\"; retry.Delay(1); Sleep();")));
    }

    [Fact]
    public void Words_in_code()
    {
        Assert.Equal("code.cs:2: 'heartbeat' is not our word: say keepalive, or probe for one of them; another's word stands in quotes or backticks", Assert.Single(WordRules.InCode(Code("\n// a heartbeat"))));
        Assert.Equal(
            ["code.cs:3: 'keep-alive' is not our word: say keepalive; another's word stands in quotes or backticks", "code.cs:4: 'Backend' is not our word: say upstream; another's word stands in quotes or backticks"],
            WordRules.InCode(Code("/// <summary>\n/// ours\n/// a keep-alive</summary>\nclass BackendSocket;")));
        Assert.Empty(WordRules.InCode(Code("// HAProxy's `frontend`, HTTP's \"Connection: keep-alive\", <c>keep-alive</c>, keepalive\nclass KeepAlive { string s = \"backend\"; int heartbeat; }")));
    }

    [Fact]
    public void Words_in_documents()
    {
        Assert.Equal(
            ["page.md:1: 'NAT mapping' is not our word: say binding; another's word stands in quotes or backticks", "page.md:5: 'half open' is not our word: say half-open; another's word stands in quotes or backticks"],
            WordRules.InDocument(Code("A NAT mapping.\n```\nthe backend\n```\nA half open flow. `frontend`, [page](keep-alive.md)\n", "page.md")));
    }
}
