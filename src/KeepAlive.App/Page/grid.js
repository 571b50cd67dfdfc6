// A table of any length of which only what is seen exists: rows are as high as the style sheet says (--row), and their
// elements are used again. Rows are reached by arrow keys; one of them is in the tab order (roving tabindex).

import { el, put, say } from "./dom.js";

const SPARE = 6; // rows above and below what is seen, so that a scroll shows no gap before the next frame

/**
 * @param {object} o
 * @param {string} o.label what it is called
 * @param {string} o.kind the class that has its columns
 * @param {{name: string, title: string, sort?: (a, b) => number, make?: () => Element, update: (cell, item, now) => void}[]} o.columns
 * @param {(item) => string} o.key
 * @param {(item) => void} [o.onOpen] Enter, or a click
 * @param {(item) => void} [o.onPoint] focus, or the pointer over it
 */
export class Grid {
  constructor(o) {
    this.o = o;
    this.items = [];
    this.rows = new Map(); // key → row, of those that exist
    this.spare = [];
    this.active = null;
    this.active0 = 0;
    this.sort = null;
    this.header = el("div", { class: "row header", role: "row", "aria-rowindex": 1 }, o.columns.map(column => this.#headerCell(column)));
    this.space = el("div", { class: "space", role: "rowgroup" });
    this.empty = el("div", { class: "empty", hidden: true });
    this.scroller = el("div", { class: "scroller", onscroll: () => this.#soon(), onkeydown: e => this.#onKey(e) }, this.space);
    this.element = el("div", { class: "gridbox" }, el("div", { class: `grid ${o.kind}`, role: "grid", "aria-label": o.label }, el("div", { role: "rowgroup", class: "head" }, this.header), this.scroller), this.empty);
    this.resized = new ResizeObserver(() => this.#measure());
    this.resized.observe(this.scroller);
  }

  /** All rows, in their order. */
  show(items) {
    this.items = items;
    this.element.firstChild.setAttribute("aria-rowcount", items.length + 1);
    this.space.style.height = `${items.length * this.height}px`;
    this.active0 = this.active === null ? 0 : items.findIndex(item => this.o.key(item) === this.active);
    if (this.active0 < 0) { // gone: whoever was there is at its neighbour
      const hadFocus = this.scroller.contains(document.activeElement);
      this.active0 = Math.min(this.last ?? 0, Math.max(0, items.length - 1));
      this.active = items.length ? this.o.key(items[this.active0]) : null;
      if (hadFocus && items.length) this.refocus = true;
    }
    this.last = this.active0;
    this.#soon();
  }

  /** Instead of rows. */
  explain(...children) {
    this.empty.hidden = children.length === 0;
    put(this.empty, ...children);
  }

  /** What grows by itself: of those that are seen. */
  refresh(now) {
    for (const row of this.rows.values()) this.#update(row, row.item, now);
  }

  focus() {
    this.#focusAt(Math.max(0, this.active0));
  }

  dispose() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }

  #headerCell(column) {
    const button = column.sort
      ? el("button", { type: "button", class: "sort", onclick: () => this.#sortBy(column) }, column.title)
      : el("span", {}, column.title);
    return el("div", { role: "columnheader", class: `cell ${column.name}` }, button);
  }

  #sortBy(column) {
    this.sort = { column, isReversed: this.sort?.column === column && !this.sort.isReversed };
    [...this.header.children].forEach((cell, i) => {
      if (this.o.columns[i] === column) cell.setAttribute("aria-sort", this.sort.isReversed ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    this.o.onSort?.();
  }

  /** By the header that was chosen, else by what is given. */
  order(items, otherwise) {
    const by = this.sort?.column.sort ?? otherwise;
    if (!by) return items;
    items.sort(by);
    return this.sort?.isReversed ? items.reverse() : items;
  }

  #measure() {
    this.height = parseFloat(getComputedStyle(this.scroller).getPropertyValue("--row")) || 44;
    this.space.style.height = `${this.items.length * this.height}px`;
    this.#soon();
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#render();
    });
  }

  #render() {
    if (!this.height) return; // not laid out yet
    const { items, height } = this, top = this.scroller.scrollTop, now = this.o.now();
    const from = Math.max(0, Math.floor(top / height) - SPARE);
    const to = Math.min(items.length, Math.ceil((top + this.scroller.clientHeight) / height) + SPARE);
    const wanted = new Map();
    for (let i = from; i < to; i++) wanted.set(this.o.key(items[i]), i);
    // The one in the tab order exists wherever it is: focus must not fall out of the page by a scroll.
    if (items.length && this.active0 >= 0 && this.active0 < items.length) wanted.set(this.o.key(items[this.active0]), this.active0);
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      this.rows.delete(key);
      row.element.hidden = true;
      row.element.tabIndex = -1;
      row.shown = {};
      this.spare.push(row);
    }
    for (const [key, i] of wanted) this.#place(key, items[i], i, now);
    if (this.refocus) {
      this.refocus = false;
      this.rows.get(this.active)?.element.focus({ preventScroll: true });
    }
  }

  #place(key, item, i, now) {
    let row = this.rows.get(key);
    if (!row) {
      row = this.spare.pop() ?? this.#newRow();
      row.element.hidden = false;
      row.key = key;
      this.rows.set(key, row);
    }
    if (row.at !== i) {
      row.at = i;
      row.element.style.transform = `translateY(${i * this.height}px)`;
      row.element.setAttribute("aria-rowindex", i + 2);
      row.element.classList.toggle("odd", i % 2 === 1);
    }
    const isActive = this.active === null ? i === 0 : key === this.active;
    row.element.tabIndex = isActive ? 0 : -1;
    row.element.toggleAttribute("data-open", key === this.opened);
    this.#update(row, item, now);
  }

  #newRow() {
    const cells = this.o.columns.map(column => el("div", { role: "gridcell", class: `cell ${column.name}` }, column.make?.() ?? null));
    const row = { cells, shown: {}, element: el("div", { class: "row", role: "row" }, cells) };
    row.element.addEventListener("click", () => this.#open(row));
    row.element.addEventListener("pointerenter", () => this.o.onPoint?.(row.item));
    row.element.addEventListener("focus", () => {
      this.#activate(row.key, row.at);
      this.o.onPoint?.(row.item);
    });
    this.space.append(row.element);
    return row;
  }

  #update(row, item, now) {
    row.item = item;
    this.o.columns.forEach((column, c) => column.update(row.cells[c], item, now, row.shown));
  }

  #activate(key, at) {
    const before = this.rows.get(this.active);
    if (before) before.element.tabIndex = -1;
    [this.active, this.active0, this.last] = [key, at, at];
    const row = this.rows.get(key);
    if (row) row.element.tabIndex = 0;
  }

  #open(row) {
    this.#activate(row.key, row.at);
    this.o.onOpen?.(row.item);
  }

  #onKey(e) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 1), at = this.active0;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.items.length - 1 }[e.key];
    if (to !== undefined && !e.altKey && !e.metaKey) {
      e.preventDefault();
      this.#focusAt(Math.max(0, Math.min(this.items.length - 1, to)));
    } else if ((e.key === "Enter" || e.key === " ") && this.rows.get(this.active)) {
      e.preventDefault();
      this.#open(this.rows.get(this.active));
    }
  }

  #focusAt(i) {
    if (i < 0 || i >= this.items.length) return;
    this.#activate(this.o.key(this.items[i]), i);
    const top = i * this.height, seen = this.scroller;
    if (top < seen.scrollTop) seen.scrollTop = top;
    else if (top + this.height > seen.scrollTop + seen.clientHeight) seen.scrollTop = top + this.height - seen.clientHeight;
    this.#render();
    this.rows.get(this.active)?.element.focus({ preventScroll: true });
  }
}

/** A column of plain text. */
export function textColumn(name, title, read, sort = undefined) {
  return { name, title, sort, update: (cell, item, now) => say(cell, read(item, now)) };
}

/** A column whose content is made anew when what it says changes. */
export function madeColumn(name, title, sign, make, sort = undefined) {
  return {
    name, title, sort,
    update: (cell, item, now, shown) => {
      const said = sign(item, now);
      if (shown[name] === said) return;
      shown[name] = said;
      put(cell, make(item, now));
    },
  };
}
