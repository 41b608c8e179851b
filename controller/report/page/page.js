// The page as a whole: reads the data, lays out one section after the other, and keeps links, printing and searching working.

function head(report) {
  const rehearsed = report.basis === "rehearsal";
  return [
    rehearsed ? el("p", { class: "banner" }, "Rehearsal: a simulated run of the whole plan. Nothing of it was done.") : null,
    el("h1", null, report.lab, el("span", { class: "quiet" }, rehearsed ? "rehearsal" : "report")),
    report.description ? el("p", { class: "quiet" }, report.description) : null,
    el(
      "p",
      { class: "quiet" },
      "Made ",
      time(report.made),
      ` by relab ${report.version}. `,
      isZoned(report) ? `Times are those of ${clock.zone}.` : "Times are in UTC.",
    ),
  ];
}

const isZoned = (report) => report.timezone && clock.zone === report.timezone;

function verdict(report, problems) {
  const given = report.verdict || {};
  const state = given.state || "unknown";
  return el(
    "section",
    { id: "verdict", class: `verdict ${toneOf(state)}`, "aria-label": "Where it stands" },
    el(
      "p",
      { class: "sentence" },
      icon(state),
      el("span", { class: "hidden" }, `${wordOf(state)}: `),
      el("span", null, given.sentence),
    ),
    listOf(given.next).length > 0
      ? el(
          "div",
          { class: "next" },
          el("h2", null, "Next"),
          el(
            "ol",
            null,
            given.next.map((next) =>
              el("li", null, next.command ? code(next.command) : null, next.command && next.why ? " " : null, next.why),
            ),
          ),
        )
      : null,
    figures(report, problems),
  );
}

function figures(report, problems) {
  const steps = allSteps(report);
  const done = steps.filter((step) => step.state === "succeeded").length;
  const failed = steps.filter(hasFailed).length;
  const phases = listOf(report.phases);
  const own = steps.filter((step) => step.instruction || waitsForPerson(step) || listOf(step.destroys).length > 0).length;
  const shown = [
    ["Steps", `${done} of ${steps.length}`, failed > 0 ? mark("failed", `${failed} failed`) : "succeeded"],
    ["Phases", `${phases.filter((phase) => phase.state === "complete").length} of ${phases.length}`, "complete"],
    lostFigure(report, problems),
    lengthFigure(report, steps),
    ["A person's steps", String(own), "to do, or to approve"],
    ...listOf(report.figures).map((figure) => [figure.what, figure.value, figure.note]),
  ];
  return el(
    "dl",
    { class: "figures" },
    shown
      .filter(Boolean)
      .map(([what, value, note]) =>
        el("div", null, el("dt", null, what), el("dd", null, el("b", null, value), el("span", { class: "quiet" }, note))),
      ),
  );
}

function lostFigure(report, problems) {
  if (!report.survival) return ["Would be lost", "not known", "the audit tells"];
  if (listOf(report.survival.installed).length === 0) return ["Would be lost", "0", "no phase installs anew"];
  const kept = problems.filter((problem) => problem.kind === "loss").length;
  const undecided = problems.filter((problem) => problem.kind === "undecided").length;
  const words = [kept > 0 ? `${kept} must be kept` : "", undecided > 0 ? `${undecided} undecided` : ""].filter(Boolean).join(", ");
  return ["Would be lost", String(kept + undecided), words ? mark("lost", words) : "of what must be kept"];
}

function lengthFigure(report, steps) {
  const spans = steps.flatMap((step) => barsOf(step, report.made)).filter((bar) => !bar.isExpected);
  const expected = steps
    .filter((step) => !step.started)
    .map(expectedSeconds)
    .filter(Number.isFinite)
    .reduce((a, b) => a + b, 0);
  const simulated = report.basis === "rehearsal";
  if (spans.length === 0) return expected > 0 ? ["How long", duration(expected), "of work, expected"] : null;
  const left = expected > 0 ? `, ${duration(expected)} of work expected` : "";
  if (simulated)
    return [
      "How long",
      duration((Math.max(...spans.map((span) => span.to)) - Math.min(...spans.map((span) => span.from))) / 1000),
      "from the first step to the last",
    ];
  return ["Time so far", duration(lengthOf(joined(spans, 0)) / 1000), `at work${left}`];
}

function timelineSection(report) {
  const chart = wholeChart(report);
  return section(
    "timeline",
    "Timeline",
    "",
    chart || el("p", { class: "quiet" }, "Nothing was run yet, and no time is predicted."),
  );
}

// All that steps changed, in the order of the plan; each has its own with it, too.
function changesSection(report) {
  const changed = allSteps(report).flatMap((step) =>
    [...listOf(step.earlier).map((one) => ({ ...one, step: `${step.step}, attempt ${one.attempt}`, place: step.place })), step]
      .filter((one) => listOf(one.changes).length > 0)
      .map((one) => ({ step: one.step, lines: one.changes, place: step.place })),
  );
  const title = report.basis === "rehearsal" ? "What it would change" : "What was changed";
  const rows = () =>
    changed.map((one) => el("div", null, el("h3", { class: "small" }, linkTo(one.place, one.step)), diffLines(one.lines)));
  const count = changed.reduce((sum, one) => sum + one.lines.length, 0);
  const many = 60;
  return section(
    "changes",
    title,
    count,
    count === 0
      ? el("p", { class: "quiet" }, "Nothing.")
      : count <= many
        ? rows()
        : folded({ class: "plain" }, counted(count, "line"), rows),
  );
}

function phasesSection(report) {
  return section(
    "phases",
    "Phases",
    listOf(report.phases).length,
    listOf(report.phases).map((phase) => phaseBlock(phase, report.made)),
  );
}

const listed = (sentences) =>
  el(
    "ul",
    null,
    listOf(sentences).map((sentence) => el("li", null, sentence)),
  );

function requestsSection(requests) {
  return section(
    "people",
    "What people have to do",
    requests.length,
    requests.length === 0
      ? el("p", { class: "quiet" }, "Nothing.")
      : el(
          "ul",
          null,
          requests.map((request) =>
            el(
              "li",
              null,
              request.place ? linkTo(request.place, request.step) : request.step,
              ` on ${request.agent}: ${request.what} `,
              request.command ? code(request.command) : null,
            ),
          ),
        ),
  );
}

function restsOn(rehearsal) {
  return section(
    "rests",
    "What this rests on",
    "",
    listed(rehearsal.assumptions),
    listOf(rehearsal.faults).length ? [el("h3", null, "What was made to go wrong"), listed(rehearsal.faults)] : null,
    pairs(["began", rehearsal.began && el("span", null, rehearsal.began)], ["seed", rehearsal.seed]),
  );
}

function navigation(sections) {
  return el(
    "ul",
    null,
    sections.map((one) => {
      const title = one.querySelector("h2");
      return el(
        "li",
        null,
        linkTo(
          one.id,
          title.firstChild.textContent,
          title.querySelector(".count") && [" ", el("span", { class: "count" }, title.querySelector(".count").textContent)],
        ),
      );
    }),
  );
}

function show(report) {
  setClock(report.timezone, report.rehearsal && report.rehearsal.began);
  numberAll(report);
  const problems = problemsOf(report);
  const main = document.getElementById("main");
  const sections = [
    problemsSection(problems),
    timelineSection(report),
    changesSection(report),
    phasesSection(report),
    report.survival ? survivalSection(report.survival) : null,
    report.rehearsal && report.rehearsal.people
      ? requestsSection(report.rehearsal.people.map((one) => ({ ...one, place: placeNamed(report, one) })))
      : null,
    report.rehearsal ? restsOn(report.rehearsal) : null,
    listOf(report.audit).length > 0 ? auditSection(report.audit, report.auditChanges) : null,
    Array.isArray(report.agents) ? agentsSection(report.agents) : null,
    report.ledger ? ledgerSection(report.ledger, listOf(report.history)) : null,
  ].filter(Boolean);
  fill(document.getElementById("head"), null, [head(report)]);
  fill(document.getElementById("nav"), null, [navigation(sections)]);
  fill(main, null, [verdict(report, problems), sections]);
  fill(document.getElementById("foot"), null, [
    `One file, made by relab ${report.version}; it asks nothing of any other place.`,
    patterns(),
  ]);
  document.title = `${report.lab}: ${(report.verdict || {}).sentence || "report"}`;
}

function follow() {
  const id = location.hash.slice(1);
  if (id) reveal(id);
}

function openAllForPrint() {
  makeAll();
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.dataset.closed = "yes";
    details.open = true;
  }
  for (const chart of charts) chart.draw(680);
}

function closeAfterPrint() {
  for (const details of document.querySelectorAll("details[data-closed]")) {
    details.open = false;
    delete details.dataset.closed;
  }
}

function start() {
  const main = document.getElementById("main");
  try {
    const report = JSON.parse(document.getElementById("data").textContent);
    if (report.format !== 1) throw new Error(`it has the format ${report.format}, and this page shows format 1`);
    show(report);
  } catch (error) {
    main.append(el("p", { class: "notice bad" }, "This report cannot be shown: ", error.message));
    return;
  }
  for (const chart of charts) chart.draw();
  // The same link may be followed twice, which changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && reveal(link.getAttribute("href").slice(1))) {
      event.preventDefault();
      history.replaceState(null, "", link.getAttribute("href"));
    }
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("beforeprint", openAllForPrint);
  window.addEventListener("afterprint", closeAfterPrint);
  follow();
  makeInSpareTime();
}

start();
