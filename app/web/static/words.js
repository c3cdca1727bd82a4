// The page's words. A catalogue per language, the same names in each; `{0}` is what the caller gives.

import { english } from "/web/words.en.js";
import { chinese } from "/web/words.zh.js";

export const LANGUAGES = { en: "English", zh: "中文" };
const CATALOGUES = { en: english, zh: chinese };

let spoken = localStorage.getItem("ktl-language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
if (!(spoken in CATALOGUES)) spoken = "en";

export const language = () => spoken;

export function speak(code) {
  spoken = code;
  localStorage.setItem("ktl-language", code);
}

/** The words of a name. A name that no catalogue has is shown as it is. */
export function t(name, ...given) {
  const words = CATALOGUES[spoken][name] ?? english[name] ?? name.replace(/^[a-z]+_/, "");
  return words.replace(/\{(\d)\}/g, (_, place) => String(given[place]));
}
