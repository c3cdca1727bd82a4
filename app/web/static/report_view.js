// The report of a finished job: the page that `ktl report --html` writes, inside the dashboard.

import { ask } from "/web/api.js";
import { h } from "/web/dom.js";

/** Puts the report's page into a shadow root, where its style sheet is its own but for the colours,
 * which are the dashboard's, in the theme that was chosen. It has no script; what is parsed here could
 * not run one. */
export async function reportView(jobId, signal) {
  const answer = await ask("GET", `/v1/jobs/${jobId}/report`, { headers: { Accept: "text/html" }, signal });
  const text = await answer.text();
  const [element, styles] = /<style>([\s\S]*?)<\/style>/.exec(text);
  const page = new DOMParser().parseFromString(text.replace(element, ""), "text/html");
  const sheet = new CSSStyleSheet();
  const own = styles.replace(/:root\s*\{[^}]*\}/g, "").replace(/(^|\})\s*body\s*\{/g, "$1 .report {");
  sheet.replaceSync(`${own} .report { padding: 0; margin: 0; max-width: none; } :host { display: block; }`);
  const host = h("div.reported");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  const body = h("div.report");
  for (const each of [...page.body.children]) if (each.localName !== "script") body.append(document.adoptNode(each));
  for (const heading of body.querySelectorAll("h1")) heading.setAttribute("aria-level", "2");
  root.append(body);
  return { element: host, save: () => save(new Blob([text], { type: "text/html" }), `${jobId}.html`) };
}

/** Has the browser keep something as a file. */
export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
