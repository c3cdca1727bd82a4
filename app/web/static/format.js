// Numbers, times and sizes as people read them, in the page's language.

import { language, t } from "/web/words.js";

const NOTHING = "–";
const UNITS = ["B", "kB", "MB", "GB", "TB"];

export const count = (number) => (number === null || number === undefined ? NOTHING : number.toLocaleString(language()));

export function score(number) {
  if (number === null || number === undefined) return NOTHING;
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 3;
  return number.toLocaleString(language(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A difference, with its sign. */
export const change = (number) => number.toLocaleString(language(), { signDisplay: "exceptZero", maximumSignificantDigits: 3 });

export const percent = (share) => (share ?? 0).toLocaleString(language(), { style: "percent", maximumFractionDigits: 0 });

export function size(bytes) {
  if (bytes === null || bytes === undefined) return NOTHING;
  let place = 0;
  while (bytes >= 1000 && place < UNITS.length - 1) {
    bytes /= 1000;
    place += 1;
  }
  return `${bytes.toLocaleString(language(), { maximumFractionDigits: bytes < 10 && place ? 1 : 0 })} ${UNITS[place]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toLocaleString(language(), { maximumFractionDigits: 1 })} h`;
}

export function moment(iso) {
  if (!iso) return NOTHING;
  return new Date(iso).toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });
}

/** A long name with its middle cut out. */
export const short = (name, most = 40) => (name.length <= most ? name : `${name.slice(0, most / 2 - 1)}…${name.slice(1 - most / 2)}`);

/** What a dataset's items are, in a few words. */
export function kindOf(schema) {
  if (!schema) return NOTHING;
  const { inputs, task } = schema;
  return `${t(`modality_${inputs.modality}`)} · ${t(`task_${task.kind}`)}`;
}

export const itemsOf = (schema) => Object.values(schema?.splits ?? {}).reduce((sum, items) => sum + items, 0);
