// What happens, as it happens: the same events as on stdout.

import { el, put, say } from "./dom.js";
import { Grid, madeColumn, textColumn } from "./grid.js";
import { badge } from "./shapes.js";
import { known, now, subscribe } from "./store.js";
import { count, number, time } from "./words.js";

const REFRESH_MS = 250;

// What is not named is of no particular tone.
const TONES = [
  [/died|dead|failed|refused|not-changed|lost/, { tone: "bad", shape: "cross" }],
  [/unanswered|withheld|observed|notice|dropped/, { tone: "warn", shape: "up" }],
  [/probe-sent/, { tone: "info", shape: "hollow" }],
  [/answered|opened|listening|changed|configured|ready/, { tone: "good", shape: "disc" }],
];

export function eventsView(parameters) {
  const search = el("input", { type: "search", placeholder: "text, gateway, flow 12", "aria-label": "Search events", value: parameters.get("search") ?? "", oninput: () => refill() });
  const kind = el("select", { "aria-label": "Kind", onchange: () => refill() }, el("option", { value: "" }, "any kind"));
  const pause = el("button", { type: "button", "aria-pressed": "false", onclick: () => toggle() }, "Pause");
  const shown = el("span", { class: "shown" });
  const grid = new Grid({ label: "Events, newest first", kind: "events", columns: columns(), key: e => String(e.n), now, onPoint: point });
  const words = el("span", { class: "words" });
  const element = el("div", { class: "view" }, el("div", { class: "bar", role: "search" }, search, kind, pause, shown), el("div", { class: "split" }, grid.element), el("p", { class: "foot" }, words));
  let held = null, timer = null, kinds = 0;

  function refill() {
    const all = held ?? known.events, wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean), rows = [];
    for (let i = all.length - 1; i >= 0; i--) {
      const e = all[i];
      if (kind.value && e.event !== kind.value) continue;
      if (wanted.length && !wanted.every(word => textOf(e).includes(word))) continue;
      rows.push(e);
    }
    grid.show(rows);
    const missed = held ? known.events.filter(e => e.n > (held.at(-1)?.n ?? 0)).length : 0;
    say(shown, `${rows.length === all.length ? count(rows.length, "event") : `${number(rows.length)} of ${count(all.length, "event")}`}${held ? `, ${number(missed)} since the pause` : ""}`);
    if (rows.length > 0) grid.explain();
    else if (all.length > 0) grid.explain(el("p", {}, "No event is like that."));
    else grid.explain(el("p", {}, known.has.has("events") ? "Nothing happened yet. Events come as flows open, are probed and end." : "Waiting for keepalive up ..."));
    fillKinds();
  }

  function fillKinds() {
    const names = [...new Set(known.events.map(e => e.event))].sort();
    if (names.length === kinds) return;
    kinds = names.length;
    const chosen = kind.value;
    put(kind, el("option", { value: "" }, "any kind"), names.map(name => el("option", { value: name }, name)));
    kind.value = chosen;
  }

  function toggle() {
    held = held ? null : [...known.events];
    pause.setAttribute("aria-pressed", String(held !== null));
    say(pause, held ? "Go on" : "Pause");
    refill();
  }

  function point(e) {
    say(words, e.text ?? "");
  }

  const stop = subscribe(["events"], () => {
    timer ??= setTimeout(() => {
      timer = null;
      refill();
    }, REFRESH_MS);
  });
  refill();
  return {
    element, tick: () => {},
    dispose: () => {
      stop();
      clearTimeout(timer);
      grid.dispose();
    },
  };
}

function columns() {
  return [
    textColumn("time", "Time", e => time(e.at, true)),
    madeColumn("kind", "Kind", e => e.event, e => badge(TONES.find(([pattern]) => pattern.test(e.event))?.[1] ?? { tone: "off", shape: "ring" }, e.event)),
    textColumn("who", "Gateway, flow", whoOf),
    textColumn("text", "What", textLine),
  ];
}

function whoOf(e) {
  return [e.gateway ?? e.name, e.flow ? `flow ${e.flow}` : "", e.leg].filter(Boolean).join(" ");
}

function textLine(e) {
  const text = e.event === "listening" && e.listen ? `${e.listen} for ${e.to ?? "measurements"}` : e.text ?? "";
  return text + (e.tookMs !== undefined ? ` [${Math.round(e.tookMs * 10) / 10} ms]` : "");
}

function textOf(e) {
  return e.searched ??= `${e.event} ${whoOf(e)} ${textLine(e)}`.toLowerCase();
}
