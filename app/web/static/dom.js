// Elements made by hand: every text becomes a text node, so nothing from a server is ever markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else if (name === "style") for (const [key, set] of Object.entries(value)) element.style.setProperty(key, set);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Makes an HTML element; attributes named `on…` are listeners. */
export function h(tag, attributes, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  return filled(element, attributes, children);
}

/** Makes an SVG element. */
export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const NUMBER = /^[\d.,%\s]+$/; // is not broken into lines

/** Makes rows of a table of their cells. */
export const tableRows = (rows) => rows.map((cells) => h("tr", null, cells.map((cell, place) => (place
  ? h(NUMBER.test(cell) ? "td.unbroken" : "td", null, cell)
  : h("th", { scope: "row" }, cell)))));

/** Makes a table of a caption, titles of columns and rows of cells. */
export function table(caption, titles, rows) {
  return h("div.scroll", { tabindex: 0, role: "region", "aria-label": caption },
    h("table", null,
      h("caption.hidden", null, caption),
      h("thead", null, h("tr", null, titles.map((title) => (title ? h("th", { scope: "col" }, title) : h("td"))))),
      h("tbody", null, tableRows(rows))));
}

/** Makes a list of names and values. */
export function facts(pairs) {
  return h("dl.facts", null, pairs.filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

let numbered = 0;

/** Labels a control; `hint` is read with it. */
export function field(label, control, hint) {
  const id = control.id || `f${++numbered}`;
  control.id = id;
  const described = hint && h("small", { id: `${id}-hint` }, hint);
  if (described) control.setAttribute("aria-describedby", described.id);
  return h("div.field", null, h("label", { for: id }, label), control, described);
}

/** Makes a choice of `[value, text]` pairs. */
export function select(pairs, chosen, onchange) {
  return h("select", { onchange: (event) => onchange?.(event.target.value) },
    pairs.map(([value, text]) => filled(document.createElement("option"), { value, selected: value === chosen }, [text])));
}

/** Waits until calls have paused for some milliseconds. */
export function calmly(milliseconds, call) {
  let waiting;
  return (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => call(...given), milliseconds);
  };
}

/** A call that is made at most once. */
export function once(call) {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    call();
  };
}
