// One job: how far it is, its curves as they grow, and, when it is there, the evidence.

import { ask, follow, get, page, send, watch } from "/web/api.js";
import { facts, field, fill, h, select, table } from "/web/dom.js";
import { count, duration, moment, percent, score } from "/web/format.js";
import { action, go, problemBox, sure } from "/web/main.js";
import { Curves } from "/web/curves.js";
import { copied, meter, statusBadge } from "/web/parts.js";
import { reportView, save } from "/web/report_view.js";
import { Series } from "/web/series.js";
import { jobAsCurl, jobAsJson, jobAsPython } from "/web/snippets.js";
import { t } from "/web/words.js";

const NOT_MEASURES = new Set(["trial", "arm", "seed", "phase", "epoch", "split", "learning_rate", "seconds", "at", "loss"]);
const MOST_TRIALS = 100;

class LiveCurves {
  constructor() {
    this.series = new Series();
    this.curves = new Curves(t("curves"), this.series);
    this.measures = new Set(["loss"]);
    this.shown = null;
    this.split = "validation";
    this.phases = new Map();
    this.legend = h("ul.legend");
    this.which = h("span");
    this.element = h("section", null, h("h2", null, t("curves")), h("div.filter", null, this.which,
      field(t("split"), select([["validation", t("split_validation")], ["train", t("split_train")]], this.split, (chosen) => {
        this.split = chosen;
        this.curves.show(this.shown, this.split);
      }))), this.curves.canvas, this.legend);
  }

  /** Takes in an `epoch` event. Epochs of later phases go on where the one before ended. */
  add(event) {
    const trial = this.phases.get(event.trial) ?? this.phases.set(event.trial, { phase: event.phase, before: 0, last: 0 }).get(event.trial);
    if (trial.phase !== event.phase) Object.assign(trial, { phase: event.phase, before: trial.last });
    const point = { x: trial.before + event.epoch, loss: event.loss };
    trial.last = Math.max(trial.last, point.x);
    const found = Object.keys(event).filter((name) => !NOT_MEASURES.has(name) && typeof event[name] === "number");
    found.forEach((name) => { point[name] = event[name]; });
    this.series.add(event.trial, event.arm, event.split, point);
    this.knows(found);
    this.colours(event.arm);
    this.curves.show(this.shown, this.split);
  }

  knows(measures) {
    if (this.shown && measures.every((name) => this.measures.has(name))) return;
    measures.forEach((name) => this.measures.add(name));
    this.shown ??= measures[0] ?? "loss";
    fill(this.which, field(t("measure"), select([...this.measures].map((each) => [each, each]), this.shown, (chosen) => {
      this.shown = chosen;
      this.curves.show(this.shown, this.split);
    })));
  }

  colours(arm) {
    if (this.curves.colours.has(arm)) return;
    this.curves.colourOf(arm);
    fill(this.legend, [...this.curves.colours].map(([each, colour]) => h("li", null, h("span.swatch", { style: { background: `var(${colour})` } }), each)));
  }
}

const testOf = (trial) => (trial.test ? Object.entries(trial.test).slice(0, 2).map(([name, value]) => `${name} ${score(value)}`).join(", ") : trial.error?.message ?? "");

function trialRows(trials) {
  return table(t("trials"), [t("arm"), t("seed"), t("labels"), t("state"), t("progress"), t("takes"), t("on_test")], trials.map((each) => [
    each.role === "search" ? t("search_for", each.arm) : each.arm, each.seed, each.labels_per_class ?? t("all"), statusBadge(each.status), percent(each.progress), duration(each.seconds || null), testOf(each)]));
}

function nextLabels(job, signal) {
  const path = `/v1/jobs/${job.id}/next_labels`;
  const items = h("input", { type: "number", value: 20, min: 1, max: 10000 });
  const shown = h("div");
  function draw(found) {
    if (found.status === "failed") return fill(shown, h("p.warn", null, found.error?.message));
    if (found.status !== "succeeded") return fill(shown, h("p", { role: "status" }, t("looking")));
    return fill(shown, h("p", null, found.sentence), table(t("next_labels"), ["", t("item"), t("score"), t("guess")], found.data.map((each, place) => [
      place + 1, each.identifier ?? `${t(`split_${each.split}`)} ${each.index}`, score(each.score), each.guess.label ?? (each.guess.labels ? each.guess.labels.join(", ") : score(each.guess.value))])));
  }
  return h("details.section", null, h("summary", null, t("next_labels")), h("p.note", null, t("next_labels_how")), field(t("items"), items),
    h("p", null, action(t("rank"), async () => {
      await send("POST", path, { items: Number(items.value) });
      await watch(path, draw, signal);
    })), shown);
}

function sourceLink(source, name) {
  const kind = { ds: "datasets", mdl: "models" }[source.split("_")[0]];
  return kind ? h("a", { href: `#/${kind}/${source}` }, name) : name;
}

export async function show({ id: named, signal }) {
  let job = await get(`/v1/jobs/${encodeURIComponent(named)}`);
  const { id } = job;
  const state = h("span");
  const bar = meter(t("progress"));
  const told = h("p.note", { role: "status" });
  const connection = h("span.connection");
  const controls = h("p.actions");
  const warnings = h("ul.warnings");
  const trialsShown = h("div");
  const evidence = h("div");
  const curves = new LiveCurves();
  const seen = new Set();

  const command = (name, kind) => action(t(name), async () => {
    if (name === "cancel" && !sure(t("cancel_sure"))) return;
    await send("POST", `/v1/jobs/${id}/${name}`);
    await refresh();
  }, kind);

  function draw() {
    fill(state, statusBadge(job.status));
    bar.set(job.progress);
    const done = job.trials.succeeded ?? 0;
    const inAll = Object.values(job.trials).reduce((sum, each) => sum + each, 0);
    fill(told, [percent(job.progress), t("trials_done", done, inAll), job.status === "running" && job.eta_seconds !== null && t("eta", duration(job.eta_seconds))].filter(Boolean).join(" · "));
    const open = { queued: ["pause", "cancel"], running: ["pause", "cancel"], paused: ["resume", "cancel"], failed: ["retry"], cancelled: ["retry"] }[job.status] ?? [];
    fill(controls, open.map((each) => command(each, each === "cancel" ? "danger" : "")),
      job.models.map((each) => h("a.button", { href: `#/models/${each}` }, t("see_model"))),
      job.deployment && h("a.button.primary", { href: `#/deployments/${encodeURIComponent(job.deployment)}` }, t("try_it")),
      job.stage === "ended" && action(t("delete"), async () => {
        if (!sure(t("delete_sure", job.name))) return;
        await ask("DELETE", `/v1/jobs/${id}`);
        go("/jobs");
      }, "danger"));
  }

  async function drawTrials() {
    const found = await page(`/v1/jobs/${id}/trials`, MOST_TRIALS);
    fill(trialsShown, h("details.section", { open: job.stage !== "ended" }, h("summary", null, t("trials")), trialRows(found.data), found.has_more && h("p.note", null, t("first_ones", count(MOST_TRIALS)))));
  }

  let reported = null;
  async function drawReport() {
    const now = `${job.status} ${job.report}`;
    if (reported === now) return undefined; // what stands open in it stays open
    reported = now;
    if (!job.report) return fill(evidence, job.error && h("div.problem", { role: "alert" }, h("p", null, job.error.message)));
    const report = await reportView(id, signal);
    return fill(evidence, h("section", null, h("p.actions", null,
      action(t("save_page"), async () => report.save()),
      action(t("save_json"), async () => save(await (await ask("GET", job.report)).blob(), `${id}.json`)),
      action(t("save_csv"), async () => save(await (await ask("GET", `/v1/jobs/${id}/metrics`, { headers: { Accept: "text/csv" } })).blob(), `${id}.csv`))), report.element), nextLabels(job, signal));
  }

  async function refresh() {
    job = await get(`/v1/jobs/${id}`);
    draw();
    await drawTrials();
    if (job.stage === "ended") await drawReport();
  }

  const heard = {
    epoch: (event) => curves.add(event),
    progress: (event) => {
      job = { ...job, ...event };
      draw();
    },
    status: () => soon(),
    trial: () => soon(),
    report: () => soon(),
    warning: (event) => {
      if (seen.has(event.message)) return;
      seen.add(event.message);
      warnings.append(h("li", null, event.message ?? event.detail));
    },
  };
  let waiting = null;
  function soon() {
    waiting ??= setTimeout(() => {
      waiting = null;
      if (!signal.aborted) refresh().catch(() => null);
    }, 500);
  }

  draw();
  await drawTrials();
  if (job.stage === "ended") await drawReport();
  follow(id, { signal, on: (kind, data) => heard[kind]?.(data), state: (now) => {
    connection.className = `connection ${now}`;
    fill(connection, t(`stream_${now}`));
  } }).catch((problem) => signal.aborted || fill(connection, problemBox(problem)));

  return [h("div.head", null, h("h1", null, job.name || job.id), state, connection), h("div.progress", null, bar.element, told), controls, warnings, evidence, curves.element, trialsShown,
    h("details.section", null, h("summary", null, t("facts")), facts([["id", h("code", null, job.id)], [t("begun"), moment(job.created_at)], [t("target"), h("a", { href: `#/datasets/${job.target}` }, job.target_name)],
      [t("sources"), job.sources.map((each, place) => [sourceLink(each, job.source_names[place]), " "])],
      [t("priority"), job.spec.priority && t(`priority_${job.spec.priority}`)]]),
      copied(jobAsJson(job.spec), "JSON"), copied(jobAsCurl(job.spec), "curl"), copied(jobAsPython(job.spec), "Python"))];
}
