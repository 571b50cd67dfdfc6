// What a policy means: move its numbers, and see when it finds the dead, what it costs, and what it survives.

import { el, field, put, say } from "./dom.js";
import { explain } from "./policy.js";
import { survivalChart } from "./survival-chart.js";
import { tradeOffChart } from "./trade-off-chart.js";
import { bytes, number, setting } from "./words.js";

// Steps that people choose from; what is typed may be anything.
const IDLES = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 350, 600, 900, 1200, 1800, 3600, 7200];
const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const INTERVALS = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 75, 90, 120];
const SETTLE_MS = 120;

export function explainView(parameters) {
  const spec = el("input", { class: "spec", "aria-label": "Policy", autocomplete: "off", spellcheck: "false", value: parameters.get("spec") ?? "60:4:15", oninput: () => soon() });
  const sliders = [["Idle", IDLES, "idleMs", 1000, setting], ["Count", COUNTS, "count", 1, String], ["Interval", INTERVALS, "intervalMs", 1000, setting]].map(slider);
  const meaning = el("p", { class: "meaning", role: "status", "aria-live": "polite" }), fault = el("p", { class: "fault", role: "alert" }), figures = el("dl", { class: "big figures" });
  const survival = survivalChart(), tradeOff = tradeOffChart(), spellings = el("div", { class: "spellings" });
  const element = el("div", { class: "view scrolls explain" },
    el("section", { class: "panel controls", "aria-label": "The policy" },
      field("Policy, idle:count:interval", spec), sliders.map(s => s.element), meaning, fault, figures),
    el("section", { class: "panel", "aria-label": "Detection time and cost" }, el("h2", {}, "Detection time and cost, by idle"), tradeOff.element),
    el("section", { class: "panel wide", "aria-label": "Middleboxes" }, el("h2", {}, "What it survives"), survival.element),
    el("section", { class: "panel wide", "aria-label": "Spellings" }, el("h2", {}, "How others spell it"), spellings));
  let timer = null, round = 0;

  function slider([name, steps, member, unit, text]) {
    let exact = null; // as it was typed, which may be between the steps
    const input = el("input", { type: "range", min: 0, max: steps.length - 1, step: 1, oninput: () => {
      exact = null;
      say(value, text(steps[input.value] * unit));
      input.setAttribute("aria-valuetext", value.textContent);
      spec.value = sliders.map(s => s.value()).join(":");
      soon();
    } });
    const value = el("output", {}), element = el("label", { class: "slider" }, el("span", { class: "label" }, name), input, value);
    return {
      element,
      value: () => exact ?? steps[input.value],
      show: answer => {
        exact = answer[member] / unit;
        input.value = steps.reduce((best, step, i) => Math.abs(step - exact) < Math.abs(steps[best] - exact) ? i : best, 0);
        say(value, text(answer[member]));
        input.setAttribute("aria-valuetext", value.textContent);
      },
    };
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(show, SETTLE_MS);
  }

  async function show() {
    const mine = ++round, wished = spec.value.trim();
    try {
      const answer = await explain(wished);
      if (mine !== round) return;
      history.replaceState(null, "", `#/explain?spec=${encodeURIComponent(wished)}`);
      say(fault, "");
      spec.removeAttribute("aria-invalid");
      say(meaning, answer.text);
      if (Number.isFinite(answer.idleMs)) sliders.forEach(s => s.show(answer));
      put(figures, facts(answer).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
      survival.show(answer);
      put(spellings, (answer.spellings ?? []).map(s => el("div", { class: "spelling" }, el("h3", {}, s.title || s.as), el("pre", { tabindex: 0 }, s.text))));
      await tradeOff.show(answer, IDLES, () => mine === round);
    } catch (e) {
      if (mine !== round) return;
      spec.setAttribute("aria-invalid", "true");
      say(fault, e.message);
    }
  }

  show();
  return {
    element,
    goTo: p => {
      if (p.has("spec")) spec.value = p.get("spec");
      soon();
      return true;
    },
    dispose: () => {
      round++;
      clearTimeout(timer);
      tradeOff.dispose();
    },
  };
}

function facts(answer) {
  const boxes = answer.middleboxes ?? [];
  return [
    ["dead after", answer.detectionMs ? setting(answer.detectionMs) : answer.isOn ? "what the machine says" : "never"],
    ["idle flow costs", Number.isFinite(answer.bytesPerHourIdle) ? `${bytes(answer.bytesPerHourIdle)} an hour` : answer.isOn ? "what the machine says" : "nothing"],
    ["probes a day", Number.isFinite(answer.probesPerDay) ? number(answer.probesPerDay) : answer.isOn ? "what the machine says" : "0"],
    ["survives", `${boxes.filter(m => m.survives).length} of ${boxes.length} known middleboxes`],
  ];
}
