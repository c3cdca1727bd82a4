// All jobs, page by page.

import { h, select } from "/web/dom.js";
import { duration, moment, percent } from "/web/format.js";
import { jobLink, listing, statusBadge } from "/web/parts.js";
import { t } from "/web/words.js";

const STATES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"];

const row = (job) => [jobLink(job), statusBadge(job.status), percent(job.progress),
  job.status === "running" ? duration(job.eta_seconds) : job.started_at && job.ended_at ? duration((new Date(job.ended_at) - new Date(job.started_at)) / 1000) : "–",
  moment(job.created_at)];

export async function show() {
  let state = "";
  const listed = await listing("/v1/jobs", { caption: t("jobs"), titles: [t("job"), t("state"), t("progress"), t("takes"), t("begun")], row,
    none: () => t(state ? "none_such" : "no_jobs"), filters: () => (state ? { status: state } : {}) });
  return [
    h("div.head", null, h("h1", null, t("jobs")), h("a.button.primary", { href: "#/new" }, t("new_job"))),
    h("div.filter", null, h("label", { for: "state" }, t("state")), " ",
      Object.assign(select([["", t("every")], ...STATES.map((each) => [each, t(`status_${each}`)])], state, (chosen) => {
        state = chosen;
        return listed.again();
      }), { id: "state" })),
    listed.element,
  ];
}
