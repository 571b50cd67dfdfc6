// Probes and answers of a flow, drawn as ./keepalive demo draws them: time runs to the right, now is the right edge.

import { svg } from "./dom.js";
import { setting } from "./words.js";

const HEIGHT = 24, MIDDLE = 12;

/** When the flow was heard last: by the end that is probed, or else by either. */
export function heardAt(flow) {
  const probed = (flow.marks ?? []).findLast(([, kind, leg]) => kind === "sent" && leg !== null)?.[2];
  return (probed ? flow.heardAt?.[probed] : 0) || Math.max(flow.heardAt?.down ?? 0, flow.heardAt?.up ?? 0) || null;
}

// What is looked back on: the shortest of these that shows the marks there are.
const WINDOWS_MS = [15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000];
const MARKS_WISHED = 5; // further back is in the details

/** An element that draws flows: `update(flow, now)`. A path of its own for each kind, so that a row is six elements. */
export function timeline(width = 208) {
  const parts = Object.fromEntries(["heard", "silent", "data", "withheld", "answered", "asked", "died"].map(name => [name, svg("path", { class: `mark ${name}` })]));
  const element = svg("svg", { class: "timeline", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", preserveAspectRatio: "none" }, Object.values(parts));
  return {
    element,
    update(flow, now) {
      const { paths, text } = draw(flow, flow.endedAt ?? now, width);
      for (const [name, part] of Object.entries(parts)) {
        const d = paths[name] ?? "";
        if (part.getAttribute("d") !== d) part.setAttribute("d", d);
      }
      if (element.getAttribute("aria-label") !== text) element.setAttribute("aria-label", text);
    },
  };
}

/** What has to be drawn. Pure. */
export function draw(flow, end, width) {
  const marks = flow.marks ?? [], heard = heardAt(flow) ?? flow.openedAt ?? 0;
  const span = windowOf(marks, heard, end);
  const x = at => Math.round((width - 6 - (end - at) / span * (width - 12)) * 10) / 10;
  const paths = { data: "", withheld: "", answered: "", asked: "", died: "" };
  const answers = answered(marks);
  const isTwofold = marks.some(([, kind, leg]) => kind === "sent" && leg === "down"); // both ends are probed: a lane each
  marks.forEach(([at, kind, leg], i) => {
    if (end - at > span) return;
    const px = x(at), y = MIDDLE + (!isTwofold || !leg ? 0 : leg === "down" ? -4 : 4);
    if (kind === "sent") paths[answers.has(i) ? "answered" : "asked"] += diamond(px, y);
    else if (kind === "data") paths.data += `M${px} ${y - 3}v6`;
    else if (kind === "withheld") paths.withheld += `M${px - 2} ${y - 4}h4`;
    else if (kind === "died") paths.died += `M${px - 4} ${MIDDLE - 4}l8 8m0 -8l-8 8`;
  });
  const left = Math.max(6, x(Math.max(flow.openedAt ?? 0, end - span))), since = Math.max(left, Math.min(x(heard), width - 6));
  paths.heard = `M${left} ${MIDDLE}H${since}`;
  paths.silent = `M${since} ${MIDDLE}H${width - 6}`;
  return { paths, text: words(marks, answers, end, span) };
}

// A probe is answered by the next answer of its leg, unless another probe went out between them.
function answered(marks) {
  const open = new Map(), answers = new Set();
  marks.forEach(([, kind, leg], i) => {
    if (kind === "sent") open.set(leg, i);
    else if ((kind === "answered" || kind === "data") && open.has(leg)) {
      if (kind === "answered") answers.add(open.get(leg));
      open.delete(leg);
    }
  });
  return answers;
}

function windowOf(marks, heard, end) {
  const last = marks.slice(-MARKS_WISHED);
  const back = Math.max(last.length ? end - last[0][0] : 0, Math.min(end - heard, WINDOWS_MS[2]));
  return WINDOWS_MS.find(w => w >= back) ?? WINDOWS_MS[WINDOWS_MS.length - 1];
}

function diamond(x, y) {
  return `M${x} ${y - 4}l4 4l-4 4l-4 -4z`;
}

function words(marks, answers, end, span) {
  const probes = marks.filter(([at, kind]) => kind === "sent" && end - at <= span).length;
  const got = marks.filter(([at, kind], i) => kind === "sent" && answers.has(i) && end - at <= span).length;
  return probes === 0 ? `no probe in the last ${setting(span)}` : `${probes} sent, ${got} answered in the last ${setting(span)}`;
}
