// What of one item speaks for its answer: a picture with marked cells, bars of columns, marked words.

import { send } from "/web/api.js";
import { fill, h } from "/web/dom.js";
import { change, score } from "/web/format.js";
import { action } from "/web/main.js";
import { t } from "/web/words.js";

const SIDE = 224;
const MOST = 12;
const NAMED = 3;
const LITTLE = 0.05; // of a score
const FAINT = 0.05; // of the largest change
const STRONGEST = 0.7;

const ranked = (pairs) => pairs.filter(([, by]) => by !== undefined && by !== null).sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
const largest = (changes) => changes.reduce((most, each) => Math.max(most, Math.abs(each ?? 0)), 0);

/** Bars of parts and of what they change, the largest first. */
function signedBars(pairs) {
  const sorted = ranked(pairs);
  const most = largest(sorted.map(([, by]) => by)) || 1;
  return [h("ul.bars", null, sorted.slice(0, MOST).map(([name, by]) => h("li", null,
    h("span", { dir: "auto" }, name),
    h("span.track", { "aria-hidden": "true" }, h(by < 0 ? "span.share.against" : "span.share", { style: { width: `${(100 * Math.abs(by)) / most}%` } })),
    h("span.number", null, change(by))))), sorted.length > MOST && h("p.note", null, t("and_more", sorted.length - MOST))];
}

async function drawn(canvas, b64) {
  try {
    const bytes = Uint8Array.from(atob(b64), (letter) => letter.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes]));
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = picture.width > canvas.width;
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  } catch {
    // A picture that this browser cannot show, as HEIC: the marks stand alone.
  }
}

function heat(told, [height, width], value) {
  const rows = told.contributions;
  const canvas = h("canvas.heat", { width: Math.round(SIDE * Math.min(1, width / height)), height: Math.round(SIDE * Math.min(1, height / width)) });
  const cells = rows.flatMap((line, y) => line.map((by, x) => [[y, x], by]));
  const most = largest(rows.flat());
  const colours = getComputedStyle(document.documentElement);
  const mark = () => {
    const context = canvas.getContext("2d");
    const [down, across] = [canvas.height / height, canvas.width / width];
    for (const [[y, x], by] of cells) {
      const share = most ? Math.abs(by ?? 0) / most : 0;
      if (share < FAINT) continue;
      context.globalAlpha = STRONGEST * share;
      context.fillStyle = colours.getPropertyValue(by > 0 ? "--c1" : "--c2");
      const [top, left] = [y * told.cell[0], x * told.cell[1]];
      context.fillRect(left * across, top * down, Math.min(told.cell[1], width - left) * across, Math.min(told.cell[0], height - top) * down);
    }
  };
  drawn(canvas, value.b64).then(mark);
  const named = ranked(cells).filter(([, by]) => Math.abs(by) >= FAINT * most).slice(0, NAMED).map(([[y, x], by]) => t("why_cell", y + 1, x + 1, change(by)));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", t("why_picture"));
  return [canvas,
    h("ul.legend", null, [["--c1", "why_for"], ["--c2", "why_against"]].map(([colour, word]) => h("li", null, h("span.swatch", { style: { background: `var(${colour})` } }), t(word)))),
    most > 0 && h("p.note", null, t("why_grid", rows.length, rows[0].length), " ", named.join("; "))];
}

function words(told, text) {
  const letters = [...text];
  const most = largest(told.pieces.map((each) => each.contribution)) || 1;
  const shown = [];
  let at = 0;
  for (const { start, end, contribution } of told.pieces) {
    shown.push(letters.slice(at, start).join(""));
    const share = Math.abs(contribution ?? 0) / most;
    const piece = letters.slice(start, end).join("");
    shown.push(share < FAINT ? piece : h(contribution < 0 ? "mark.against" : "mark", { title: change(contribution), style: { "--share": `${Math.round(50 * share)}%` } }, piece));
    at = end;
  }
  shown.push(letters.slice(at).join(""));
  return [h("blockquote.marked", { dir: "auto" }, shown), signedBars(told.pieces.map((each) => [each.text, each.contribution]))];
}

const valued = ({ columns, values }) => (columns.length === 1 ? `${columns[0]}: ${values[0]}` : columns.join(", "));

/** Draws contributions of an item, as it was sent. */
function contributions(told, inputs, item) {
  if (told.kind === "image") return heat(told, inputs.shape, item);
  if (told.kind === "table") return [signedBars(told.columns.map((each) => [valued(each), each.contribution])), h("p.note", null, t("why_instead"))];
  if (told.kind === "text") return words(told, item);
  return [signedBars(told.parts.map((each) => [each.part, each.contribution])),
    told.parts.map((each) => [h("p", null, h("b", null, each.part)), contributions(each.within, inputs.parts.find((own) => own.name === each.part).inputs, item[each.part])])];
}

function changesOf(told) {
  if (told.kind === "image") return told.contributions.flat();
  if (told.kind === "joined") return told.parts.flatMap((each) => [each.contribution, ...changesOf(each.within)]);
  return (told.columns ?? told.pieces).map((each) => each.contribution);
}

/** A button that asks why an item was answered as it was. */
export function why(name, { inputs, task }, item) {
  const said = h("p", { role: "status" });
  const shown = h("div");
  const button = action(t("ask_why"), async () => {
    fill(shown);
    fill(said, t("looking"));
    try {
      const found = await send("POST", `/v1/deployments/${encodeURIComponent(name)}/explain`, { inputs: [item] });
      const isFlat = task.kind !== "regression" && largest(changesOf(found.contributions)) < LITTLE;
      fill(said, t("why_how", found.output, `${score(found.answer)} ${found.unit}`.trim()), isFlat && ` ${t("why_little")}`);
      fill(shown, contributions(found.contributions, inputs, item), h("p.note", null, t("why_note")));
    } catch (problem) {
      fill(said);
      throw problem;
    }
  });
  return h("div.why", null, h("p", null, button), said, shown);
}
