// The same request as the page makes, for a terminal and for a program.

import { hasKey } from "/web/api.js";

const origin = () => location.origin;
const keyHeader = () => (hasKey() ? ` \\\n  -H "Authorization: Bearer $KTL_API_KEY"` : "");
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const indented = (value) => JSON.stringify(value, null, 2);

/** JSON as Python writes it. */
export function python(value, depth = 0) {
  const pad = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) {
    const inside = value.map((each) => python(each, depth));
    return inside.join(", ").length < 70 ? `[${inside.join(", ")}]` : `[\n${value.map((each) => pad + python(each, depth + 1)).join(",\n")},\n${end}]`;
  }
  if (typeof value === "object") {
    const inside = Object.entries(value);
    const line = `{${inside.map(([name, each]) => `${JSON.stringify(name)}: ${python(each, depth)}`).join(", ")}}`;
    return line.length < 70 && !line.includes("\n") ? line : `{\n${inside.map(([name, each]) => `${pad}${JSON.stringify(name)}: ${python(each, depth + 1)}`).join(",\n")},\n${end}}`;
  }
  return JSON.stringify(value);
}

export const jobAsCurl = (spec) => `curl -X POST ${origin()}/v1/jobs${keyHeader()} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(spec))}`;
export const jobAsPython = (spec) => `from ktl import Client\n\nwith Client("${origin()}") as client:\n    job = client.jobs.submit(${python(spec, 1)})\n    job = client.jobs.wait(job.id)\n    print(client.jobs.report(job.id).reason)`;
export const jobAsJson = indented;

const path = (name) => `${origin()}/v1/deployments/${encodeURIComponent(name)}/predict`;

export const predictAsCurl = (name, body) => (body === null
  ? `curl -X POST ${path(name)}${keyHeader()} \\\n  -H 'Content-Type: image/png' --data-binary @picture.png`
  : `curl -X POST ${path(name)}${keyHeader()} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`);
/** A program that asks with httpx, with the key of the environment where one is asked for. */
const program = (opening, name, body, type) => {
  const headers = { ...(hasKey() && { Authorization: 'f"Bearer {os.environ[\'KTL_API_KEY\']}"' }), ...(type && { "Content-Type": `"${type}"` }) };
  const written = Object.entries(headers).map(([header, value]) => `"${header}": ${value}`).join(", ");
  return `${hasKey() ? "import os\n\n" : ""}import httpx\n\n${opening}answer = httpx.post(\n    "${path(name)}",\n    ${body},\n${written && `    headers={${written}},\n`})\nprint(answer.json()["outputs"])`;
};

export const predictAsPython = (name, body) => (body === null
  ? program('from pathlib import Path\n\n', name, 'content=Path("picture.png").read_bytes()', "image/png")
  : program("", name, `json=${python(body, 1)}`));
