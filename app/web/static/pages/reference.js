// The API's reference, from its own description: no script and no style comes from anywhere else.

import { get } from "/web/api.js";
import { field, fill, h, table } from "/web/dom.js";
import { t } from "/web/words.js";

const named = (reference) => reference.split("/").pop();

/** A schema's type in a few words, with a link where it has a name. */
function typed(schema) {
  if (!schema) return "";
  if (schema.$ref) return h("a", { href: `#/api?schema=${named(schema.$ref)}` }, named(schema.$ref));
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map((each, place) => [place ? " | " : "", typed(each)]);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (schema.type === "array") return ["[", typed(schema.items), "]"];
  if (schema.type === "object" && typeof schema.additionalProperties === "object") return ["{", typed(schema.additionalProperties), "}"];
  return schema.type ?? t("anything");
}

function members(schema) {
  const properties = Object.entries(schema.properties ?? {});
  if (!properties.length) return h("p.note", null, schema.description ?? typed(schema));
  return [schema.description && h("p.note", null, schema.description), table(schema.title ?? t("members"), [t("name"), t("kind"), t("default"), t("what_it_says")], properties.map(([name, each]) => [
    schema.required?.includes(name) ? h("b", null, name) : name, typed(each), each.default === undefined ? "" : JSON.stringify(each.default), each.description ?? ""]))];
}

function operation(path, method, said) {
  const body = Object.entries(said.requestBody?.content ?? {});
  return h("details.section", { "data-words": `${method} ${path} ${said.summary ?? ""}`.toLowerCase() },
    h("summary", null, h(`code.method.${method}`, null, method.toUpperCase()), " ", h("code", null, path), " ", h("span.note", null, said.summary)),
    said.description && h("p", null, said.description),
    said.parameters?.length > 0 && table(t("parameters"), [t("name"), t("where"), t("kind"), t("what_it_says")], said.parameters.map((each) => [each.name, each.in, typed(each.schema), each.description ?? ""])),
    body.length > 0 && h("p", null, `${t("body")}: `, body.map(([type, each], place) => [place ? ", " : "", h("code", null, type), " ", typed(each.schema)])),
    table(t("answers"), [t("status_code"), t("kind"), t("what_it_says")], Object.entries(said.responses).map(([status, each]) => [status, Object.entries(each.content ?? {}).map(([type, content]) => [h("code", null, type), " ", typed(content.schema ?? content.itemSchema), " "]), each.description ?? ""])));
}

export async function show() {
  const said = await get("/openapi.json");
  const { schema } = Object.fromEntries(new URLSearchParams(location.hash.split("?")[1] ?? ""));
  if (schema && said.components.schemas[schema]) return [h("p", null, h("a", { href: "#/api" }, `← ${t("api")}`)), h("h1", null, schema), members(said.components.schemas[schema])];
  const found = h("div");
  const every = Object.entries(said.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, each]) => [each.tags?.[0] ?? "", operation(path, method, each)]));
  const tags = said.tags ?? [];
  const search = h("input", { type: "search", oninput: () => draw() });
  const draw = () => fill(found, tags.map((tag) => {
    const own = every.filter(([name, element]) => name === tag.name && element.dataset.words.includes(search.value.toLowerCase())).map(([, element]) => element);
    return own.length > 0 && h("section", null, h("h2", null, tag.name), h("p.note", null, tag.description), own);
  }));
  draw();
  return [h("h1", null, `${said.info.title} ${said.info.version}`), h("p.lead", null, said.info.summary), h("p.note", null, h("a", { href: "/openapi.json" }, "openapi.json")), field(t("search"), search), found];
}
