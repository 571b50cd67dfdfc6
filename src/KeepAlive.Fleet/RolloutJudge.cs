namespace KeepAlive.Fleet;

/// <summary>What becomes of a rollout.</summary>
internal enum RolloutVerdict
{
    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>All get it.</summary>
    Through,

    /// <summary>The canaries lose it.</summary>
    Back,
}

/// <summary>Judges a rollout by what the machines tell: do more flows die where the new policy is than where it is not?</summary>
/// <remarks>
/// If the policy makes no difference, each death falls on a canary with the probability of the canaries' part of all flow time; whether as
/// many fell on them as did is a binomial tail (Przyborowski and Wilenski 1940, the comparison of two Poisson rates). The judge
/// keeps nothing: each machine counts from when the rollout reached it, so that any other judge goes on where one ended.
/// </remarks>
internal static class RolloutJudge
{
    // Looked at again and again, it has to be rarer by chance than at the end, when it is looked at once.
    private const double SureBefore = 0.001;
    private const double SureAtEnd = 0.05;

    // One reset server on one machine is no policy's fault.
    private const long DeathsMin = 3;

    /// <summary>How long canaries may take to have the policy, beside the time they are observed for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>What is to be done, and why.</summary>
    /// <param name="rollout">It.</param>
    /// <param name="machines">All that are there.</param>
    /// <param name="waited">How long somebody has been judging.</param>
    public static (RolloutVerdict Verdict, string Why) Judge(Rollout rollout, IReadOnlyList<FleetMachine> machines, TimeSpan waited)
    {
        long number = rollout.Policy.Number;
        FleetMachine[] canaries = [.. machines.Where(m => rollout.IsFor(m.Name))];
        if (canaries.FirstOrDefault(m => m.Digest?.Refused?.Policy == number) is { Digest.Refused: { } refusal } refusing) return (RolloutVerdict.Back, $"{refusing.Name} refuses it: {refusal.Why}");
        Trial[] with = [.. canaries.Where(m => m.Digest?.Policy == number).Select(m => m.Digest!.Trial).OfType<Trial>().Where(t => t.Policy == number)];
        Trial[] without = [.. machines.Where(m => !rollout.IsFor(m.Name)).Select(m => m.Digest?.Trial).OfType<Trial>().Where(t => t.Policy == number)];
        double chance = Chance(with, without, rollout);
        long deaths = with.Sum(t => t.Deaths);
        string figures = $"{Said(with)} with it, {Said(without)} without";
        if (deaths >= DeathsMin && chance < SureBefore) return (RolloutVerdict.Back, $"deaths rise: {figures}");

        TimeSpan began = Max(waited, TimeSpan.FromSeconds(without.Select(t => t.Seconds).DefaultIfEmpty().Max()));
        bool isLate = began > rollout.Observe + Patience;
        int gone = rollout.Canaries - canaries.Length;
        if (isLate && gone * 10 > rollout.Canaries) return (RolloutVerdict.Back, $"{gone} of {rollout.Canaries} canaries are gone");
        if (with.Length < canaries.Length || with.Length == 0)
            return isLate ? (RolloutVerdict.Back, $"{canaries.Length - with.Length} of {rollout.Canaries} canaries have not taken it") : (RolloutVerdict.Wait, $"{with.Length} of {rollout.Canaries} canaries have it");
        double observed = with.Min(t => t.Seconds);
        if (observed < rollout.Observe.TotalSeconds || (gone * 10 > rollout.Canaries && !isLate)) return (RolloutVerdict.Wait, figures);
        if (deaths >= DeathsMin && chance < SureAtEnd) return (RolloutVerdict.Back, $"deaths rise: {figures}");
        return (RolloutVerdict.Through, with.Sum(t => t.FlowSeconds) > 0 ? figures : $"no flow was open with it, so nothing speaks against it or for it: {figures}");
    }

    // How likely the canaries have as many of all deaths, or more, if the policy makes no difference.
    private static double Chance(Trial[] with, Trial[] without, Rollout rollout)
    {
        double time = with.Sum(t => t.FlowSeconds), all = time + without.Sum(t => t.FlowSeconds);
        double part = all > 0 ? time / all : (double)rollout.Canaries / rollout.Machines;
        long deaths = with.Sum(t => t.Deaths);
        return UpperTail(deaths, deaths + without.Sum(t => t.Deaths), part);
    }

    /// <summary>
    /// The probability of at least <paramref name="least"/> of <paramref name="all"/> where each has the probability <paramref name="part"/>;
    /// 1 where that is no more than is to be expected.
    /// </summary>
    public static double UpperTail(long least, long all, double part)
    {
        if (least <= all * part) return 1;
        if (part <= 0) return 0;
        // Above the mean each term is smaller than the one before: what is far beyond adds nothing that a double can hold.
        double sum = 0, term = Math.Exp(LogTerm(least, all, part));
        for (long k = least; k <= all && term > sum * 1e-17; k++)
        {
            sum += term;
            term *= (all - k) / (k + 1.0) * (part / (1 - part));
        }

        return Math.Min(1, sum);
    }

    private static double LogTerm(long k, long n, double p) => k > n ? double.NegativeInfinity : LogFactorial(n) - LogFactorial(k) - LogFactorial(n - k) + (k * Math.Log(p)) + ((n - k) * Math.Log(1 - p));

    // Summed up below 256, by Stirling's series above: to 15 digits.
    private static double LogFactorial(long n)
    {
        if (n < 256)
        {
            double sum = 0;
            for (long i = 2; i <= n; i++) sum += Math.Log(i);
            return sum;
        }

        double x = n + 1;
        return ((x - 0.5) * Math.Log(x)) - x + (0.5 * Math.Log(2 * Math.PI)) + (1 / (12 * x)) - (1 / (360 * x * x * x));
    }

    private static string Said(Trial[] trials) =>
        FormattableString.Invariant($"{trials.Sum(t => t.Deaths)} death(s) in {trials.Sum(t => t.FlowSeconds) / 3600:0.##} flow hours on {trials.Length} machine(s)");

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
