// Keys, room on the disk, version.

import { ask, get, hasKey, Problem, send, useKey } from "/web/api.js";
import { facts, field, fill, h, table } from "/web/dom.js";
import { count, moment, size } from "/web/format.js";
import { action, problemBox, sure } from "/web/main.js";
import { bars, copied } from "/web/parts.js";
import { t } from "/web/words.js";

const KINDS = ["datasets", "models", "features", "weights", "predictions", "checkpoints"];
const SCOPES = ["read", "write", "predict", "admin"];

async function keys(redraw) {
  let listed;
  try {
    listed = (await get("/v1/keys")).data;
  } catch (problem) {
    if (problem.status !== 403) throw problem;
    return h("p.note", null, t("no_admin"));
  }
  const name = h("input", { maxlength: 200 });
  const scopes = SCOPES.map((each) => h("input", { type: "checkbox", value: each, checked: each !== "admin" }));
  const made = h("div");
  return [
    listed.length ? table(t("keys"), [t("name"), t("scopes"), t("added"), t("last_used"), ""], listed.map((each) => [each.name, each.scopes.join(", "), moment(each.created_at), moment(each.last_used_at),
      each.revoked_at ? t("revoked") : action(t("revoke"), async () => {
        if (!sure(t("revoke_sure", each.name))) return;
        await ask("DELETE", `/v1/keys/${each.id}`);
        redraw();
      }, "small")])) : h("p.note", null, t("no_keys")),
    h("details", null, h("summary", null, t("make_key")), field(t("name"), name), h("div.boxes", null, SCOPES.map((each, place) => h("label.check", null, scopes[place], each))),
      h("p", null, action(t("make_key"), async () => {
        const key = await send("POST", "/v1/keys", { name: name.value, scopes: scopes.filter((each) => each.checked).map((each) => each.value) });
        fill(made, h("p.warn", null, t("key_once")), copied(key.key));
      })), made)];
}

/** What a key may not see stands as a sentence: another key can be given on this page. */
const refused = (problem) => {
  if (problem.status !== 403) throw problem;
  return problem;
};

function room(usage) {
  if (usage instanceof Problem) return problemBox(usage);
  return [bars(KINDS.map((each) => [t(`room_${each}`), usage.bytes[each]]), size),
    facts([[t("in_all"), size(usage.bytes.total)], [t("free"), usage.disk && size(usage.disk.free_bytes)], [t("datasets"), count(usage.datasets)], [t("jobs"), count(usage.jobs)], [t("running_trials"), count(usage.running_trials)], [t("project"), usage.project]])];
}

export async function show({ redraw }) {
  const [usage, about] = await Promise.all([get("/v1/usage").catch(refused), get("/v2").catch(refused)]);
  const own = h("input", { type: "password", autocomplete: "off", placeholder: hasKey() ? "•".repeat(12) : "" });
  return [
    h("h1", null, t("settings")),
    h("section", null, h("h2", null, t("room")), room(usage)),
    h("section", null, h("h2", null, t("key")), h("form", { onsubmit: (event) => {
      event.preventDefault();
      useKey(own.value);
      redraw();
    } }, field(t("key"), own, t("key_hint")), h("p.actions", null, h("button", null, t("use_key")), hasKey() && action(t("forget_key"), async () => {
      useKey("");
      redraw();
    })))),
    h("section", null, h("h2", null, t("keys")), await keys(redraw)),
    about.version && h("p.note", null, `ktl ${about.version}`),
  ];
}
