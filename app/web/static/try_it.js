// A deployment tried with one's own picture, sentence or row: scores at once, and the same call as code.

import { ask } from "/web/api.js";
import { board } from "/web/draw.js";
import { calmly, field, fill, h, select } from "/web/dom.js";
import { score } from "/web/format.js";
import { action, problemBox } from "/web/main.js";
import { bars, copied } from "/web/parts.js";
import { predictAsCurl, predictAsPython } from "/web/snippets.js";
import { why } from "/web/why.js";
import { t } from "/web/words.js";

const MOST = 8;
const PAUSE = 300;
const NUMERAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i;

function answered(found, task) {
  const [output] = found.outputs;
  const warnings = found.warnings?.length ? h("ul.warnings", null, found.warnings.map((each) => h("li", null, each.detail))) : null;
  if (task.kind === "regression") return [h("p.answer", null, score(output.value), " ", task.unit ?? ""), warnings];
  const scores = output.scores ?? output.labels ?? [{ label: output.label, score: output.score }];
  const sentence = task.kind === "multi_label" ? output.labels.map((each) => each.label).join(", ") || t("no_label") : output.label;
  return [h("p.answer", null, sentence), bars(scores.map((each) => [each.label, each.score])), warnings];
}

function column(each) {
  if (each.kind === "category" && each.values) return select([["", t("missing")], ...each.values.map((value) => [String(value), String(value)])], "");
  if (each.kind === "flag") return select([["", t("missing")], ...(each.values ?? ["no", "yes"]).map((value) => [String(value), String(value)])], "");
  if (each.kind === "date") return h("input", { type: "date" });
  if (each.kind === "number") return h("input", { inputmode: "decimal", placeholder: each.edges?.length ? score(each.edges[Math.floor(each.edges.length / 2)]) : "" });
  return h("input");
}

function read(each, control) {
  if (control.value === "") return null;
  if (each.kind !== "number") return control.value;
  const text = control.value.trim();
  return NUMERAL.test(text) ? Number(text) : text || null; // the service says what is wrong with any other
}

function rowForm(columns, onchange) {
  const controls = columns.map((each) => [each, column(each)]);
  for (const [, control] of controls) control.addEventListener("input", onchange);
  return {
    element: h("div.grid", null, controls.map(([each, control]) => field(each.unit ? `${each.name} [${each.unit}]` : each.name, control))),
    value: () => Object.fromEntries(controls.map(([each, control]) => [each.name, read(each, control)])),
  };
}

/** The part of an item that a control makes: `value()` is what JSON carries. */
function part(inputs, onchange) {
  if (inputs.modality === "table") return rowForm(inputs.columns, onchange);
  if (inputs.modality === "text") {
    const text = h("textarea", { rows: 4, dir: "auto", oninput: onchange, "aria-label": t("text") });
    return { element: text, value: () => text.value || null };
  }
  let chosen = null;
  const shown = h("div");
  const chooser = h("input", { type: "file", accept: "image/*", "aria-label": t("picture"), onchange: async () => {
    if (!chooser.files.length) return;
    chosen = await base64(chooser.files[0]);
    fill(shown, h("img.chosen", { alt: chooser.files[0].name, src: `data:${chooser.files[0].type};base64,${chosen}` }));
    onchange();
  } });
  return { element: h("div", null, chooser, shown), value: () => (chosen ? { b64: chosen } : null) };
}

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let place = 0; place < bytes.length; place += 32768) text += String.fromCharCode(...bytes.subarray(place, place + 32768));
  return btoa(text);
}

function pictures(name, signature) {
  const { inputs, task } = signature;
  const answer = h("div", { role: "status" });
  const reasons = h("div");
  const shown = h("div");
  async function predict(blob) {
    const body = new FormData();
    body.append("file", blob, blob.name ?? "drawing.png");
    if (task.kind !== "regression") body.append("top_k", topOf(task));
    fill(reasons);
    try {
      fill(answer, answered(await (await ask("POST", `/v1/deployments/${encodeURIComponent(name)}/predict`, { body })).json(), task));
      fill(reasons, why(name, signature, { b64: await base64(blob) }));
    } catch (problem) {
      fill(answer, problemBox(problem));
    }
  }
  const chooser = h("input", { type: "file", accept: "image/*", onchange: () => {
    const [file] = chooser.files;
    if (!file) return;
    fill(shown, h("img.chosen", { alt: file.name, src: URL.createObjectURL(file) }));
    predict(file);
  } });
  const isSmall = inputs.shape[0] <= 64 && inputs.shape[2] === 1;
  return h("div.trying", null, h("div", null,
    isSmall && [h("p.note", null, t("draw_here")), board(true, predict).element],
    field(t("picture"), chooser, t("picture_hint")), shown), h("div", null, answer, reasons));
}

const topOf = (task) => Math.min(MOST, (task.classes ?? task.labels).length);

/** The controls that a model's signature asks for, and what it answers. */
export function tryIt(name, signature) {
  const { inputs, task } = signature;
  const code = h("div");
  const drawCode = (body) => fill(code, copied(predictAsCurl(name, body), "curl"), copied(predictAsPython(name, body), "Python"));
  const called = h("details", null, h("summary", null, t("same_as_code")), code);
  if (inputs.modality === "image") {
    drawCode(null);
    return h("div", null, pictures(name, signature), called);
  }
  if (inputs.modality === "features") return h("p.note", null, t("no_trying"));
  const answer = h("div", { role: "status" });
  const reasons = h("div");
  const parts = inputs.modality === "joined" ? inputs.parts.map((each) => [each.name, part(each.inputs, soon)]) : [[null, part(inputs, soon)]];
  const item = () => (inputs.modality === "joined" ? Object.fromEntries(parts.map(([each, control]) => [each, control.value()])) : parts[0][1].value());
  const bodyOf = () => ({ inputs: [item()], ...(task.kind !== "regression" && { top_k: topOf(task) }) });
  async function predict() {
    const body = bodyOf();
    drawCode(body);
    fill(reasons);
    try {
      fill(answer, answered(await (await ask("POST", `/v1/deployments/${encodeURIComponent(name)}/predict`, { body })).json(), task));
      fill(reasons, why(name, signature, body.inputs[0]));
    } catch (problem) {
      fill(answer, problemBox(problem));
    }
  }
  const calm = calmly(PAUSE, predict);
  function soon() {
    calm();
  }
  drawCode(bodyOf());
  return h("div", null, h("div.trying", null, h("div", null, parts.map(([each, control]) => [each && h("h3", null, each), control.element]), h("p", null, action(t("predict"), predict, "primary"))), h("div", null, answer, reasons)), called);
}
