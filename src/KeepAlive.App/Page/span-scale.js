/** Spans of time on a logarithmic line: from seconds to hours on one drawing. */
export function logarithmic(from, to, width) {
  const low = Math.log(from), high = Math.log(Math.max(to, from * 2));
  return { from, to, at: ms => Math.round(Math.max(0, Math.min(width, (Math.log(Math.max(ms, 1)) - low) / (high - low) * width)) * 10) / 10 };
}

/** Round spans between two. */
export function ticks(from, to) {
  return [1000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000].filter(ms => ms >= from && ms <= to);
}
