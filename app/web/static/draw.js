// A small board to draw a picture on, with mouse, finger or pen.

import { h } from "/web/dom.js";
import { t } from "/web/words.js";

const SIDE = 224;

/** White strokes on black, as handwritten digits are stored, or the other way round. */
export function board(isDark, ondrawn) {
  const canvas = h("canvas.board", { width: SIDE, height: SIDE, role: "img", "aria-label": t("board") });
  const context = canvas.getContext("2d");
  const paper = isDark ? "#000" : "#fff";
  let last = null;
  const clear = () => {
    context.fillStyle = paper;
    context.fillRect(0, 0, SIDE, SIDE);
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    Object.assign(context, { strokeStyle: isDark ? "#fff" : "#000", lineWidth: 18, lineCap: "round", lineJoin: "round" });
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...next);
    context.stroke();
    last = next;
  });
  canvas.addEventListener("pointerup", () => {
    last = null;
    canvas.toBlob(ondrawn, "image/png");
  });
  clear();
  return { element: h("div.drawing", null, canvas, h("button.small", { type: "button", onclick: clear }, t("clear"))), canvas };
}
