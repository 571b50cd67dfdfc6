// Known middleboxes by their timeouts, on a logarithmic line, and the policy's idle across all of them.

import { el, put, svg } from "./dom.js";
import { badge } from "./shapes.js";
import { logarithmic } from "./span-scale.js";
import { mark, setting } from "./words.js";

const WIDTH = 300, HEIGHT = 16;

export function survivalChart() {
  const element = el("div", { class: "survival", role: "table", "aria-label": "Middleboxes and whether they keep the flow" });

  function show(answer) {
    const boxes = [...answer.middleboxes ?? []].sort((a, b) => a.timeoutMs - b.timeoutMs);
    if (boxes.length === 0) return put(element, el("p", { class: "none" }, "None is known."));
    const scale = logarithmic(Math.min(5000, ...boxes.map(m => m.timeoutMs)), Math.max(7_200_000, ...boxes.map(m => m.timeoutMs)), WIDTH);
    return put(element,
      el("div", { role: "row", class: "axisrow" }, el("span", { role: "columnheader" }, "Middlebox"), el("span", { role: "columnheader" }, "Forgets after"),
        el("span", { role: "columnheader", "aria-label": "drawn" }, ruler(scale)), el("span", { role: "columnheader" }, "Verdict")),
      boxes.map(m => el("div", { role: "row", class: m.survives ? "lives" : "lost", title: [m.note, m.source, m.checked].filter(Boolean).join("; ") },
        el("span", { role: "cell", class: "name" }, m.name), el("span", { role: "cell", class: "num" }, setting(m.timeoutMs)),
        el("span", { role: "cell", class: "drawn" }, bar(m, answer, scale)),
        el("span", { role: "cell" }, badge(m.survives ? { tone: "good", shape: "disc" } : { tone: "bad", shape: "cross" }, m.text)))));
  }

  return { element, show };
}

function bar(m, answer, scale) {
  const end = scale.at(m.timeoutMs), idle = Number.isFinite(answer.idleMs) ? scale.at(answer.idleMs) : null;
  return svg("svg", { class: "reaches", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "track", d: `M0 8H${WIDTH}` }),
    svg("path", { class: m.survives ? "kept" : "gone", d: `M0 8H${end}` }),
    svg("path", { class: "limit", d: `M${end} 2v12` }),
    idle !== null && svg("path", { class: "policy", d: `M${idle} 0v${HEIGHT}` }));
}

function ruler(scale) {
  const marks = [10_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000].filter(ms => ms >= scale.from && ms <= scale.to);
  return el("span", { class: "ruler", "aria-hidden": "true" }, marks.map(ms => {
    const place = el("span", {}, mark(ms));
    place.style.left = `${scale.at(ms) / WIDTH * 100}%`;
    return place;
  }));
}
