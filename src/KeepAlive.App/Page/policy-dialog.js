// A policy for a connection or all of its process: first what would become of it, then the change.

import { send } from "./api.js";
import { el, field, put, say } from "./dom.js";
import { ADVISED, ownerOf } from "./headline.js";
import { explain, optionsText, specOf } from "./policy.js";
import { badge } from "./shapes.js";
import { known } from "./store.js";
import { count, setting } from "./words.js";

const OUTCOMES = {
  changed: { tone: "good", shape: "disc", word: "changed" },
  same: { tone: "off", shape: "dash", word: "the same" },
  refused: { tone: "bad", shape: "cross", word: "refused" },
  vanished: { tone: "off", shape: "ring", word: "gone meanwhile" },
};

/** Opens it. `isProcess`: for all connections of the first owner. */
export function changePolicy(connection, { isProcess = false, spec = null }) {
  const owner = connection.owners?.[0], cannot = known.overview?.canWrite === false ? known.overview.whyNot || "this page may only read" : null;
  const scope = (value, text, isChecked) => el("label", { class: "choice" }, el("input", { type: "radio", name: "scope", value, checked: isChecked, onchange: forget }), el("span", {}, text));
  const spelled = el("input", { name: "spec", required: true, autocomplete: "off", spellcheck: "false", value: spec ?? (specOf(connection) === "unknown" || specOf(connection) === "off" ? ADVISED : specOf(connection)), oninput: forget });
  const timeout = el("input", { name: "timeout", autocomplete: "off", placeholder: "as the policy's detection time", oninput: forget });
  const meaning = el("p", { class: "meaning", role: "status" }), fault = el("p", { class: "fault", role: "alert" }), outcome = el("div", { class: "outcome", "aria-live": "polite" });
  const preview = el("button", { type: "submit", class: "strong", disabled: cannot !== null }, "Preview"), apply = el("button", { type: "button", disabled: true, onclick: () => ask(false) }, "Apply");
  const form = el("form", { method: "dialog", onsubmit: e => { e.preventDefault(); ask(true); } },
    el("h2", {}, "Change a policy"),
    el("fieldset", {}, el("legend", {}, "For"),
      scope("connection", connection.state === "listening" ? `the listener ${connection.local}` : `${connection.local} → ${connection.remote}`, !isProcess || !owner),
      owner && scope("process", `every connection of ${ownerOf(connection)}, listeners too`, isProcess)),
    field("Policy (idle:count:interval, on, off)", spelled), meaning,
    field("User timeout", timeout, "a duration (2m), 0 for the kernel's own"),
    cannot && el("p", { class: "fault" }, `Nothing can be changed from here: ${cannot}`),
    fault, outcome,
    el("p", { class: "actions" }, preview, apply, el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")));
  const dialog = el("dialog", { class: "policy", "aria-label": "Change a policy", onclose: () => dialog.remove() }, form);
  let round = 0;

  async function describe() {
    const mine = ++round;
    try {
      const { text } = await explain(spelled.value);
      if (mine === round) say(meaning, text ?? "");
    } catch (e) {
      if (mine === round) say(meaning, e.message);
    }
  }

  let timer = null;
  function forget() {
    apply.disabled = true;
    put(outcome);
    say(fault, "");
    clearTimeout(timer);
    timer = setTimeout(describe, 200);
  }

  async function ask(isDry) {
    say(fault, "");
    preview.disabled = apply.disabled = true;
    const wished = { spec: spelled.value.trim(), ...(timeout.value.trim() ? { userTimeout: timeout.value.trim() } : {}), isDry };
    try {
      const isForAll = form.elements.scope?.value === "process";
      const { changes } = isForAll ? await send("POST", "/api/v1/policy", { pid: owner.pid, ...wished })
        : await send("POST", `/api/v1/connections/${encodeURIComponent(connection.id)}/policy`, wished);
      show(changes, isDry);
      apply.disabled = !isDry || !changes.some(c => c.kind === "changed");
      if (!apply.disabled) apply.focus();
    } catch (e) {
      put(outcome);
      say(fault, e.message);
    }
    preview.disabled = cannot !== null;
    if (!isDry) preview.focus();
  }

  function show(changes, isDry) {
    const changed = changes.filter(c => c.kind === "changed").length;
    put(outcome,
      el("p", { class: "sum" }, isDry ? (changed ? `${count(changed, "socket")} would be changed:` : "Nothing would be changed:") : `${count(changed, "socket")} changed.`),
      el("div", { class: "tablebox", tabindex: 0, role: "region", "aria-label": "Before and after" },
        el("table", { class: "changes" },
          el("thead", {}, el("tr", {}, ["Connection", "Before", "After", ""].map(t => el("th", { scope: "col" }, t)))),
          el("tbody", {}, changes.map(change => row(change, isDry))))));
  }

  document.body.append(dialog);
  dialog.showModal();
  spelled.select();
  describe();
}

function row(change, isDry) {
  const how = OUTCOMES[change.kind] ?? OUTCOMES.refused, c = change.connection ?? {};
  const ends = typeof c === "string" ? c : c.state === "listening" ? `${c.local} listens` : `${c.local} → ${c.remote}`;
  return el("tr", { "data-kind": change.kind },
    el("td", { class: "ends" }, ends),
    el("td", { class: "before" }, optionsText(change.before, setting)),
    el("td", { class: "after" }, change.kind === "refused" ? change.text ?? "" : optionsText(change.after, setting)),
    el("td", {}, badge(how, isDry && change.kind === "changed" ? "would be" : how.word)));
}
