// How our charts look: uPlot's (vendor/uPlot) with the page's own colours and sizes.

import uPlot from "./vendor/uPlot/uPlot.esm.js";

/** A colour of the style sheet as canvases understand it. */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/**
 * A chart in an element, as wide as that is and drawn anew when it or the theme changes.
 * @param {Element} place
 * @param {number} height
 * @param {(size: {width: number, height: number}) => object} options uPlot's, made with the colours of the moment
 */
export function chart(place, height, options) {
  let plot = null, data = null;

  function draw() {
    plot?.destroy();
    plot = null;
    if (data && place.clientWidth > 0) plot = new uPlot(options({ width: place.clientWidth, height }), data, place);
  }

  const resized = new ResizeObserver(() => {
    if (plot && place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height });
    else draw();
  });
  resized.observe(place);
  document.addEventListener("themechange", draw);
  return {
    show: fresh => {
      data = fresh;
      draw();
    },
    dispose: () => {
      resized.disconnect();
      document.removeEventListener("themechange", draw);
      plot?.destroy();
    },
  };
}

/** An axis of the house. */
export function axis(more) {
  return { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 4 }, font: "12px system-ui, sans-serif", ...more };
}
