// Stored items, as thumbnails, texts and rows.

import { h } from "/web/dom.js";
import { score } from "/web/format.js";
import { t } from "/web/words.js";

/** Draws raw values [height][width][channels]; brightest and darkest are taken from the picture. */
export function picture(values, label) {
  const height = values.length;
  const width = values[0].length;
  const canvas = h("canvas.thumb", { width, height, role: "img", "aria-label": label });
  const flat = values.flat(2);
  const low = Math.min(0, ...spread(flat));
  const high = Math.max(...spread(flat), low + 1e-9);
  const top = high <= 1 ? 1 : high <= 255 ? 255 : high;
  const scale = (value) => (255 * (value - low)) / (top - low);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const pixel = values[y][x];
    const place = 4 * (y * width + x);
    const [red, green, blue] = pixel.length >= 3 ? pixel : [pixel[0], pixel[0], pixel[0]];
    image.data[place] = scale(red);
    image.data[place + 1] = scale(green);
    image.data[place + 2] = scale(blue);
    image.data[place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function spread(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

const cell = (value) => (value === null || value === undefined ? h("i", null, t("missing")) : typeof value === "number" ? score(value) : String(value));

export const labelOf = (item) => item.label ?? (item.labels ? item.labels.join(", ") || t("no_label") : item.value !== null && item.value !== undefined ? score(item.value) : t("no_label"));

function row(values) {
  return h("dl.row", null, Object.entries(values).slice(0, 30).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, cell(value)))));
}

function content(value, label) {
  if (value === null || value === undefined) return h("i", null, t("missing"));
  if (Array.isArray(value)) return picture(value, label);
  if (typeof value === "string") return h("blockquote", { dir: "auto" }, value);
  return row(value);
}

/** One item of a preview, with its label and what the audit says of it. */
export function itemCard(item) {
  const label = labelOf(item);
  const parts = item.parts ? Object.entries(item.parts) : [["image", item.image], ["text", item.text], ["row", item.row]].filter(([, value]) => value !== undefined && value !== null);
  return h("li.item", null,
    parts.map(([name, value]) => h("div", { title: name }, content(value, `${t("item")} ${item.index}, ${label}`))),
    h("b", { dir: "auto" }, label),
    item.suspected && h("small.warn", null, t("perhaps", item.suspected.proposed)));
}
