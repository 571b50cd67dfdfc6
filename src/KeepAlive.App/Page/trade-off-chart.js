// Detection time against cost, for every idle there is to choose. Each point is an answer of the server's.

import { axis, chart, colour } from "./chart.js";
import { el, say } from "./dom.js";
import { explain } from "./policy.js";
import { mark, number, setting } from "./words.js";

const HEIGHT = 260;
const ROUND = [1, 10, 60, 300, 1800, 7200, 86_400];

export function tradeOffChart() {
  const place = el("div", { class: "chart" }), words = el("p", { class: "note", role: "status" });
  const element = el("div", {}, place, words);
  let here = null, plotted = null;
  const drawn = chart(place, HEIGHT, size => options(size, () => here));

  /** `isWanted` says whether somebody still waits for it. */
  async function show(answer, idles, isWanted) {
    if (!Number.isFinite(answer.idleMs)) return;
    const rest = `${answer.count}:${seconds(answer.intervalMs)}`, all = [...new Set([...idles, answer.idleMs / 1000])].sort((a, b) => a - b);
    here = answer.idleMs / 1000;
    if (plotted !== `${here} ${rest}`) {
      const points = await Promise.all(all.map(idle => explain(`${seconds(idle * 1000)}:${rest}`).catch(() => null)));
      if (!isWanted()) return;
      plotted = `${here} ${rest}`;
      drawn.show([all, points.map(p => p ? p.detectionMs / 1000 : null), points.map(p => p?.probesPerDay ?? null)]);
    }
    say(words, `At idle ${setting(answer.idleMs)}: dead after ${setting(answer.detectionMs)}, ${number(answer.probesPerDay ?? 0)} probes a day. A longer idle costs less, finds the dead later, and survives fewer middleboxes.`);
  }

  return { element, show, dispose: drawn.dispose };
}

function seconds(ms) {
  return ms % 1000 === 0 ? String(ms / 1000) : `${ms}ms`;
}

function options(size, here) {
  const detection = colour("accent"), cost = colour("warn"), ink = colour("ink");
  const span = (_, values) => values.map(v => v === null ? "" : mark(v * 1000));
  const splits = (_, __, from, to) => ROUND.filter(s => s >= from && s <= to), filter = (_, all) => all;
  return {
    ...size, padding: [12, 8, 0, 0],
    scales: { x: { time: false, distr: 3 }, detection: { distr: 3 }, cost: { distr: 3 } },
    axes: [
      axis({ values: span, splits, filter }),
      axis({ scale: "detection", values: span, splits, filter, size: 56, stroke: detection }),
      axis({ scale: "cost", side: 1, values: (_, values) => values.map(v => v === null ? "" : number(v)), size: 62, stroke: cost, grid: { show: false } }),
    ],
    series: [
      { label: "idle", value: (_, v) => v === null || v === undefined ? "" : setting(v * 1000) },
      { label: "dead after", scale: "detection", stroke: detection, width: 2, value: (_, v) => v === null || v === undefined ? "" : setting(v * 1000) },
      { label: "probes a day", scale: "cost", stroke: cost, width: 2, dash: [6, 4], value: (_, v) => v === null || v === undefined ? "" : number(v) },
    ],
    hooks: {
      draw: [plot => line(plot, here(), ink)],
      ready: [plot => plot.setLegend({ idx: plot.data[0].indexOf(here()) })], // until the pointer asks for another
    },
  };
}

// Where the policy itself is.
function line(plot, idle, stroke) {
  const x = Math.round(plot.valToPos(idle, "x", true)) + 0.5, { top, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.strokeStyle = stroke;
  plot.ctx.setLineDash([2, 3]);
  plot.ctx.beginPath();
  plot.ctx.moveTo(x, top);
  plot.ctx.lineTo(x, top + height);
  plot.ctx.stroke();
  plot.ctx.restore();
}
