// Files on their way to be a dataset: what is said of them first, the progress, and once more with
// another description where the first was not understood.

import { upload } from "/web/api.js";
import { field, fill, h, select } from "/web/dom.js";
import { percent, size } from "/web/format.js";
import { acting, go } from "/web/main.js";
import { meter, objectOf } from "/web/parts.js";
import { t } from "/web/words.js";

const TABLE = /\.(csv|tsv|txt)$/i;
const LINES = /\.(jsonl|ndjson)$/i;
const LOOK_BYTES = 65536;
const sent = new Map();

/** What was sent for a dataset in this tab, while the tab is open. */
export const sentFor = (datasetId) => sent.get(datasetId);

/** Names of the columns of a table's first line; none where they cannot be seen from here. */
export async function columnsOf(file) {
  if (!TABLE.test(file.name) && !LINES.test(file.name)) return [];
  const text = await file.slice(0, LOOK_BYTES).text();
  if (LINES.test(file.name)) {
    try {
      return Object.keys(JSON.parse(text.split("\n")[0]));
    } catch {
      return [];
    }
  }
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const said = /^sep=(.)$/i.exec(lines[0]);
  const line = said ? lines[1] : lines[0];
  const separator = said?.[1] ?? [",", ";", "\t", "|"].map((each) => [line.split(each).length, each]).sort((a, b) => b[0] - a[0])[0][1];
  return cells(line, separator);
}

function cells(line, separator) {
  const found = [];
  let cell = "";
  let quoted = false;
  for (const letter of line) {
    if (letter === '"') quoted = !quoted;
    else if (letter === separator && !quoted) {
      found.push(cell.trim());
      cell = "";
    } else cell += letter;
  }
  return [...found, cell.trim()];
}

/** A place where files are dropped or chosen. */
export function dropZone(onfiles) {
  const chooser = h("input.hidden", { type: "file", multiple: true, id: "files", onchange: () => chooser.files.length && onfiles([...chooser.files]) });
  const zone = h("label.drop", { for: "files" }, h("b", null, t("drop")), h("span", null, t("drop_what")), chooser);
  for (const kind of ["dragover", "dragenter"]) zone.addEventListener(kind, (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) onfiles([...event.dataTransfer.files]);
  });
  return zone;
}

/** The form that describes files and sends them; `spec` is what was said of them before. */
export async function uploadForm(files, spec = {}) {
  const columns = files.length === 1 ? await columnsOf(files[0]) : [];
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const name = h("input", { value: spec.name ?? files[0].name.replace(/(\.tar)?\.[^.]+$/, "").slice(0, 200), required: true, maxlength: 200 });
  const label = select([["", t("by_name")], ["-", t("no_labels")], ...columns.map((each) => [each, each])], spec.target?.column ?? (spec.target?.columns ? "-" : ""));
  const task = select([["", t("by_labels")], ...["classification", "regression", "multi_label"].map((each) => [each, t(`task_${each}`)])], spec.task ?? "");
  const unit = h("input", { value: spec.unit ?? "", maxlength: 40, placeholder: "mg/dl, USD …" });
  const group = select([["", t("none")], ...columns.map((each) => [each, each])], spec.split?.group ?? "");
  const more = h("textarea", { rows: 4, spellcheck: "false", placeholder: '{"columns": {"zip": {"kind": "category"}}, "missing": ["?"]}' }, spec.more ?? "");
  const bar = meter(t("upload"));
  const told = h("p.note", { role: "status" });
  const button = h("button.primary", null, t("upload"));
  const described = () => {
    const said = objectOf(more.value);
    return {
      name: name.value,
      ...(label.value === "-" ? { target: { columns: [] } } : label.value && { target: { column: label.value } }),
      ...(task.value && { task: task.value }),
      ...(unit.value && { unit: unit.value }),
      ...(group.value && { split: { group: group.value } }),
      ...said,
    };
  };

  return h("form.panel", { onsubmit: (event) => {
    event.preventDefault();
    acting(button, async () => {
      const dataset = await upload("/v1/datasets", described(), files, (share) => {
        bar.set(share);
        fill(told, share < 1 ? `${percent(share)} · ${size(total)}` : t("being_stored"));
      });
      sent.set(dataset.id, { files, spec: { ...described(), more: more.value } });
      go(`/datasets/${dataset.id}`);
    });
  } },
  h("p", null, h("b", null, files.length === 1 ? files[0].name : t("so_many_files", files.length)), ` · ${size(total)}`),
  field(t("name"), name),
  columns.length > 0 && field(t("label_column"), label, t("label_column_hint")),
  field(t("task"), task, t("task_hint")),
  h("details", null, h("summary", null, t("more_settings")),
    field(t("unit"), unit),
    columns.length > 0 && field(t("group_column"), group, t("group_hint")),
    field(t("spec_json"), more, t("spec_json_hint"))),
  h("p.actions", null, button, bar.element), told);
}
