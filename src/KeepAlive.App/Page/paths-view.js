// What was measured of paths, drawn against the policies that are in force on them.

import { el, put, svg } from "./dom.js";
import { badge } from "./shapes.js";
import { logarithmic, ticks } from "./span-scale.js";
import { known, subscribe } from "./store.js";
import { day, mark, setting } from "./words.js";

const LANE = 22, TOP = 20, LETTER = 7, WIDTH_MAX = 942;

export function pathsView() {
  const element = el("div", { class: "view scrolls" }), cards = el("div", { class: "cards wide" });
  let sign = "";
  put(element, cards);

  function show() {
    const said = JSON.stringify([known.paths, width()]);
    if (said === sign) return;
    sign = said;
    put(cards, known.paths.length === 0 ? empty() : known.paths.map(card));
  }

  const stop = subscribe(["paths"], show);
  show();
  return { element, tick: show, dispose: stop };
}

function card(path) {
  const policies = path.policies ?? [];
  return el("article", { class: "card" },
    el("h2", {}, path.target ?? path.remote), el("p", { class: "text" }, path.text ?? ""),
    drawing(path, policies),
    el("ul", { class: "policies" }, policies.map(p => el("li", {},
      badge(p.survives ? { tone: "good", shape: "disc" } : { tone: "bad", shape: "cross" }, p.survives ? "survives" : "is forgotten"),
      el("span", {}, ` ${p.name} `), el("code", {}, p.spec), el("span", { class: "note" }, ` refreshes after ${setting(p.refreshMs)}`)))),
    policies.length === 0 && el("p", { class: "note" }, "No gateway and no host policy uses this path now."),
    el("p", { class: "note" }, path.measuredAt ? `Measured ${day(path.measuredAt)}. ` : "", el("a", { href: `#/measure?to=${encodeURIComponent(path.target ?? "")}` }, "Measure again"),
      path.advice && [" Advised: ", el("a", { href: `#/explain?spec=${encodeURIComponent(path.advice)}` }, path.advice)]));
}

// As wide as there is room, so that its letters are as large as all others.
function width() {
  return Math.max(240, Math.min(WIDTH_MAX, document.documentElement.clientWidth - 64));
}

function drawing(path, policies) {
  const WIDTH = width();
  const spans = [path.timeoutMs, path.boundMs, ...policies.map(p => p.refreshMs)].filter(ms => ms > 0);
  const from = Math.min(1000, ...spans), to = Math.max(60_000, ...spans) * 1.6, scale = logarithmic(from, to, WIDTH), height = TOP + LANE * (1 + policies.length) + 4;
  const ends = path.boundMs > 0, end = ends ? scale.at(path.boundMs) : WIDTH;
  return svg("svg", { class: "paths", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": `${path.boundMs > 0 ? `forgets after ${setting(path.boundMs)}` : `remembers for ${setting(path.timeoutMs)} at least`}; ${policies.map(p => `${p.name} refreshes after ${setting(p.refreshMs)}`).join(", ")}` },
    ticks(from, to).map(ms => [svg("path", { class: "tick", d: `M${scale.at(ms)} ${TOP - 4}V${height}` }), svg("text", { x: Math.max(12, Math.min(WIDTH - 16, scale.at(ms))), y: 11, "text-anchor": "middle" }, mark(ms))]).flat(),
    svg("rect", { class: "kept", x: 0, y: TOP, width: end, height: height - TOP }),
    ends && [svg("rect", { class: "gone", x: end, y: TOP, width: WIDTH - end, height: height - TOP }), svg("path", { class: "limit", d: `M${end} ${TOP}V${height}` }),
      svg("text", { class: "limit", x: end > WIDTH - 150 ? end - 6 : end + 6, y: TOP + 15, "text-anchor": end > WIDTH - 150 ? "end" : "start" }, `forgotten after ${setting(path.boundMs)}`)],
    policies.map((p, i) => lane(p, scale, TOP + LANE * (1 + i) + LANE / 2)));
}

// Its name is where the line begins, or behind the mark where there is no room for it.
function lane(policy, scale, y) {
  const x = scale.at(policy.refreshMs), name = `${policy.name} ${policy.spec}`, room = name.length * LETTER + 14, isBefore = x > room + 8;
  return svg("g", { class: policy.survives ? "policy lives" : "policy lost" },
    svg("path", { class: "reach", d: `M${isBefore ? room : 0} ${y}H${x}` }), svg("path", { class: "refresh", d: `M${x} ${y - 5}l5 5l-5 5l-5 -5z` }),
    svg("text", { x: isBefore ? 6 : x + 10, y: y + 4 }, name));
}

function empty() {
  return el("div", { class: "empty" },
    el("p", {}, "No path was measured yet, so nobody knows how long the way to your peers remembers a silent connection."),
    el("p", {}, "Start ", el("code", {}, "keepalive reflect --listen 0.0.0.0:7201"), " at the far end, then ", el("a", { href: "#/measure" }, "measure the path"), ". ",
      "Until then, ", el("a", { href: "#/explain" }, "Explain"), " tells what a policy survives of the middleboxes that are known."));
}
