// A shape and a word for each state: colour alone says nothing to many.

import { el, svg } from "./dom.js";

// In a square of 12, each told from the others in black and white. "line" ones are drawn, the others filled.
const SHAPES = {
  disc: { d: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z" },
  ring: { d: "M6 2a4 4 0 1 0 0 8a4 4 0 1 0 0-8z", line: true },
  diamond: { d: "M6 .8L11.2 6L6 11.2L.8 6z" },
  hollow: { d: "M6 1.4L10.6 6L6 10.6L1.4 6z", line: true },
  cross: { d: "M2.2 2.2L9.8 9.8M9.8 2.2L2.2 9.8", line: true, bold: true },
  dash: { d: "M2 6H10", line: true, bold: true },
  square: { d: "M2 2H10V10H2z" },
  up: { d: "M6 1.2L11 10.4H1z" },
  question: { d: "M3.8 4.2C3.8 1.2 8.4 1.2 8.4 4.2C8.4 6 6 6 6 7.8M6 10.1V10.3", line: true },
};

/** State, tone and shape of flows, worst first: the order of the table. */
export const FLOW_STATES = {
  dead: { tone: "bad", shape: "cross" },
  probing: { tone: "warn", shape: "hollow" },
  opening: { tone: "info", shape: "ring" },
  alive: { tone: "good", shape: "disc" },
  closed: { tone: "off", shape: "dash" },
};

/** Verdicts on connections, worst first, as `keepalive list --sort verdict` has them. */
export const VERDICTS = {
  stuck: { tone: "bad", shape: "square" },
  probing: { tone: "warn", shape: "hollow" },
  unnoticed: { tone: "bad", shape: "cross" },
  armedlate: { tone: "warn", shape: "up" },
  tooslow: { tone: "warn", shape: "up" },
  ignored: { tone: "bad", shape: "up" },
  unknown: { tone: "info", shape: "question" },
  ok: { tone: "good", shape: "disc" },
  listener: { tone: "off", shape: "ring" },
  passing: { tone: "off", shape: "dash" },
};

export function icon(shape = "ring", size = 12) {
  const { d, line, bold } = SHAPES[shape] ?? SHAPES.ring;
  return svg("svg", { class: `icon${line ? " line" : ""}${bold ? " bold" : ""}`, viewBox: "0 0 12 12", width: size, height: size, "aria-hidden": "true" }, svg("path", { d }));
}

/** A shape with its word, in its tone. */
export function badge({ tone, shape }, word) {
  return el("span", { class: `badge ${tone}` }, icon(shape), el("span", { class: "word" }, word));
}

/** What a flow's state is called: `probing 2 of 4`. */
export function flowWord(flow) {
  const p = flow.probes;
  return flow.state === "probing" && p?.unanswered ? `probing ${p.unanswered}${p.of ? ` of ${p.of}` : ""}` : flow.state;
}
