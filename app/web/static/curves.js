// Live curves on a canvas: a line per trial, a colour per arm, smooth with tens of thousands of points.

import { h } from "/web/dom.js";
import { score } from "/web/format.js";

export const COLOURS = ["--c0", "--c1", "--c2", "--c3", "--c4", "--c5"];
const LEFT = 46;
const BOTTOM = 24;
const TOP = 8;
const RIGHT = 10;

function steps(low, high, most = 5) {
  const raw = (high - low || 1) / most;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * unit).find((each) => each >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(at);
  return found;
}

/** At most two points per column of pixels: the lowest and the highest, in their order. */
function thinned(points, across) {
  if (points.length <= 2 * across) return points;
  const found = [];
  const each = points.length / across;
  for (let column = 0; column < across; column += 1) {
    const part = points.slice(Math.floor(column * each), Math.floor((column + 1) * each));
    let low = part[0];
    let high = part[0];
    for (const point of part) {
      if (point[1] < low[1]) low = point;
      if (point[1] > high[1]) high = point;
    }
    found.push(...(low[0] < high[0] ? [low, high] : [high, low]));
  }
  return found;
}

export class Curves {
  /** `series`: of which one measure and one split are drawn at a time. */
  constructor(label, series) {
    this.canvas = h("canvas.curves", { role: "img", "aria-label": label });
    this.series = series;
    this.colours = new Map();
    this.isDue = false;
    this.pause = 0;
    new ResizeObserver(() => this.due()).observe(this.canvas);
  }

  colourOf(arm) {
    if (!this.colours.has(arm)) this.colours.set(arm, COLOURS[this.colours.size % COLOURS.length]);
    return this.colours.get(arm);
  }

  show(measure, split) {
    Object.assign(this, { measure, split });
    this.due();
  }

  /** Draws soon, and so seldom that most of the time is left to everything else. */
  due() {
    if (this.isDue) return;
    this.isDue = true;
    setTimeout(() => requestAnimationFrame(() => {
      this.isDue = false;
      const began = performance.now();
      this.draw();
      this.pause = 4 * (performance.now() - began);
    }), this.pause);
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width || !height) return;
    const sharp = devicePixelRatio || 1;
    canvas.width = width * sharp;
    canvas.height = height * sharp;
    const context = canvas.getContext("2d");
    context.scale(sharp, sharp);
    const style = getComputedStyle(canvas);
    const ink = (name) => style.getPropertyValue(name);
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    const lines = this.series.of(this.measure, this.split);
    for (const { points } of lines) for (const [x, y] of points) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    if (left > right) return;
    if (right === left) right = left + 1;
    if (high === low) [low, high] = [low - 0.5, high + 0.5];
    const across = width - LEFT - RIGHT;
    const up = height - TOP - BOTTOM;
    const px = (x) => LEFT + (across * (x - left)) / (right - left);
    const py = (y) => TOP + up - (up * (y - low)) / (high - low);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = ink("--muted");
    context.strokeStyle = ink("--rule");
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const at of steps(low, high)) {
      context.beginPath();
      context.moveTo(LEFT, py(at));
      context.lineTo(width - RIGHT, py(at));
      context.stroke();
      context.fillText(score(at), LEFT - 6, py(at));
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const at of steps(left, right, 8)) if (Number.isInteger(at)) context.fillText(String(at), px(at), height - BOTTOM + 7);
    context.lineJoin = "round";
    context.lineWidth = lines.length > 40 ? 1 : 1.6;
    for (const { arm, points } of lines) {
      context.strokeStyle = context.fillStyle = ink(this.colourOf(arm));
      context.globalAlpha = lines.length > 12 ? 0.55 : 0.9;
      context.beginPath();
      for (const [x, y] of thinned(points, Math.max(1, Math.floor(across)))) context.lineTo(px(x), py(y));
      context.stroke();
      if (points.length === 1) context.fillRect(px(points[0][0]) - 2, py(points[0][1]) - 2, 4, 4);
    }
  }
}
