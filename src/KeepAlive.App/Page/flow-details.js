// One flow: figures of both legs, every mark that is kept, what was said of it.

import { get } from "./api.js";
import { el, put, say } from "./dom.js";
import { inWords } from "./policy.js";
import { FLOW_STATES, badge, flowWord, icon } from "./shapes.js";
import { known } from "./store.js";
import { timeline } from "./timeline.js";
import { bytes, duration, roundTrip, time } from "./words.js";

const MARKS = {
  sent: ["hollow", "probe sent"], answered: ["diamond", "answered"], withheld: ["dash", "withheld"],
  data: ["disc", "data"], died: ["cross", "died"], notice: ["ring", "notice"],
};
const LEG = { down: "client", up: "server" };

/** A panel with the flow, which follows it as long as it is known. */
export function flowDetails(flow, onClose) {
  const drawing = timeline(346), id = String(flow.id);
  const state = el("p", { class: "state" }), text = el("p", { class: "text" }), policy = el("p", { class: "note" });
  const figures = el("dl", { class: "figures" }), marks = el("ol", { class: "marks" }), events = el("ol", { class: "events" });
  const element = el("section", { class: "details", tabindex: -1, "aria-label": `Flow ${id}`, onkeydown: e => e.key === "Escape" && (e.stopPropagation(), onClose()) },
    el("header", {}, el("h2", {}, `Flow ${id}`), el("button", { type: "button", class: "quiet", onclick: onClose }, "Close")),
    state, text, drawing.element, policy, figures,
    el("h3", {}, "Probes and answers"), marks, el("h3", {}, "Events"), events);
  let latest = flow, sign = "", isOver = false, told = flow.events ?? [];

  inWords(flow.policy).then(words => words && say(policy, `${flow.policy}: ${words}`));
  read();

  // The stream has the last marks; the rest is asked for once, and again when there are more.
  async function read() {
    try {
      const whole = await get(`/api/v1/flows/${encodeURIComponent(id)}`);
      if (isOver) return;
      told = whole.events ?? [];
      showEvents();
      sayText();
    } catch {
      // It has ended and is forgotten: what the stream said of it stays.
    }
  }

  function update(now) {
    latest = known.flows.get(id) ?? latest;
    const said = JSON.stringify([latest.state, latest.probes, latest.text, latest.bytes, latest.marks?.length, latest.marks?.at(-1)]);
    drawing.update(latest, now);
    showFigures(now);
    if (said === sign) return;
    if (sign) read();
    sign = said;
    put(state, badge(FLOW_STATES[latest.state] ?? FLOW_STATES.closed, flowWord(latest)));
    sayText();
    showMarks();
  }

  function showFigures(now) {
    const end = latest.endedAt ?? now, heard = latest.heardAt ?? {}, p = latest.probes ?? {};
    const rows = [
      ["client", latest.client], ["server", latest.server], ["gateway", latest.gateway ?? "-"],
      ["layer", latest.layer + (latest.protocol && latest.protocol !== latest.layer ? ` (${latest.protocol})` : "") + (latest.isPlain ? ", plain relay" : "")],
      ["probes", `${p.sent ?? 0} sent, ${p.answered ?? 0} answered`],
      ["round trip", roundTrip(latest.roundTripMs) || "-"],
      ["client silent", heard.down ? duration(end - heard.down) : "-"], ["server silent", heard.up ? duration(end - heard.up) : "-"],
      ["bytes", `${bytes(latest.bytes?.up ?? 0)} up, ${bytes(latest.bytes?.down ?? 0)} down`],
      ["open", `${duration(end - latest.openedAt)}, since ${time(latest.openedAt)}`],
    ];
    if (figures.children.length !== rows.length * 2) put(figures, rows.map(([name]) => [el("dt", {}, name), el("dd", {})]));
    rows.forEach(([, value], i) => say(figures.children[i * 2 + 1], value));
  }

  // The last word of a flow that died is that it is closed: why is what one wants to read.
  function sayText() {
    say(text, (latest.state === "dead" && told.findLast(e => e.event === "died")?.text) || latest.text || "");
  }

  function showMarks() {
    const all = [...latest.marks ?? []].reverse();
    put(marks, all.length === 0 ? el("li", { class: "none" }, "None so far: nothing was silent for long enough.") : all.map(([at, kind, leg]) => {
      const [shape, word] = MARKS[kind] ?? MARKS.notice;
      return el("li", { class: kind }, el("time", {}, time(at, true)), icon(shape, 10), el("span", {}, word + (LEG[leg] ? `, ${LEG[leg]}` : "")));
    }));
  }

  function showEvents() {
    put(events, told.length === 0 ? el("li", { class: "none" }, "Nothing was told of it yet.")
      : [...told].reverse().map(e => el("li", {}, el("time", {}, time(e.at, true)), el("span", {}, `${e.leg ? `${e.leg} ` : ""}${e.event}: ${e.text ?? ""}`))));
  }

  return { element, update, dispose: () => isOver = true };
}
