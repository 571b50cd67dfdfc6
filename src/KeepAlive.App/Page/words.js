// Figures in words, the same everywhere on the page.

/** 950 ms as `0.9s`, 61 s as `1m1s`: two units at most, as the command line says them. */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "";
  if (ms < 0) ms = 0;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${s % 60}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${Math.floor(s % 3600 / 60)}m`;
  return `${Math.floor(s / 86_400)}d${Math.floor(s % 86_400 / 3600)}h`;
}

/** A limit or a setting, as the command line writes it: `500ms`, `60s`, `5m50s`, `2h11m15s`. */
export function setting(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "";
  if (ms > 0 && ms < 1000) return `${Math.round(ms)}ms`;
  const exact = Math.round(ms / 100) / 10;
  if (exact <= 60) return `${exact}s`;
  const s = Math.round(ms / 1000), minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes}m${s % 60}s`;
  return `${minutes < 1440 ? "" : `${Math.floor(minutes / 1440)}d`}${Math.floor(minutes / 60) % 24}h${minutes % 60}m${s % 60}s`;
}

/** The same beside an axis, where there is no room: `5m`, `2h`. */
export function mark(ms) {
  return ms === 60_000 ? "60s" : setting(ms).replace(/(?<=[a-z])(0[a-z])+$/, "");
}

export function roundTrip(ms) {
  if (ms === null || ms === undefined) return "";
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

export function bytes(n) {
  if (n === null || n === undefined) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) { n /= 1000; unit++; }
  return `${unit === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${units[unit]}`;
}

export function number(n) {
  return n.toLocaleString("en");
}

/** `1 flow`, `2 flows`. */
export function count(n, noun, nouns = `${noun}s`) {
  return `${number(n)} ${n === 1 ? noun : nouns}`;
}

export function time(at, withTenths = false) {
  const t = new Date(at);
  if (Number.isNaN(t.getTime())) return "";
  const two = n => String(n).padStart(2, "0");
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}${withTenths ? `.${Math.floor(t.getMilliseconds() / 100)}` : ""}`;
}

/** With the date before it. */
export function day(at) {
  const t = new Date(at);
  return Number.isNaN(t.getTime()) ? String(at) : `${t.getFullYear()}-${String(t.getMonth() + 1).padStart(2, "0")}-${String(t.getDate()).padStart(2, "0")} ${time(at)}`;
}
