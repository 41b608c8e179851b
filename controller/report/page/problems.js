// What is wrong or missing, first. Gathered from what the report tells elsewhere, so that the two cannot disagree, together with
// what it names as problems itself.

const shownAtOnce = 6;

// Groups in the order of their weight: [kind, heading, what it means].
const groups = [
  ["failed", "Failed steps"],
  ["contradicted", "Evidence that is void", "Something later speaks against it, or it is too old."],
  ["unmet", "Conditions that do not hold"],
  ["loss", "Would be lost", "Must be kept, but neither survives the installation nor is in an archive that was read back."],
  ["gap", "Not read", "The audit is not whole: what was not read may be there."],
  ["person", "For you to do"],
  ["missing", "Still missing", "Evidence that nobody has supplied yet."],
  ["waived", "Waived", "A person signed for going on although this is not so."],
  ["other", "Also"],
];

const stateOfGroup = { failed: "failed", contradicted: "contradicted", unmet: "unmet", loss: "lost", gap: "problem", person: "person",
  missing: "missing", waived: "waived", other: "problem" };

// {kind, state, what, why, hint, command, place}
function problemsOf(report) {
  return [...failedSteps(report), ...gateProblems(report), ...losses(report), ...gaps(report), ...turnsOfPeople(report), ...waivers(report),
    ...listOf(report.problems).map((problem) => ({ ...problem, kind: stateOfGroup[problem.kind] ? problem.kind : "other", place: placeNamed(report, problem) }))];
}

const allSteps = (report) => listOf(report.phases).flatMap(stepsOf);

function placeNamed(report, problem) {
  const step = allSteps(report).find((one) => one.step === problem.step);
  const phase = listOf(report.phases).find((one) => one.phase === problem.phase);
  return (step || phase || {}).place;
}

function failedSteps(report) {
  return allSteps(report).filter(hasFailed).map((step) => {
    const failure = step.failure || {};
    return { kind: "failed", state: step.state, what: `${step.step} on ${step.agent}`, why: failure.what || "", hint: failure.hint, place: step.place };
  });
}

// That a later phase waits for one before it is the plan, and no problem.
const isOrderOfPlan = ({ condition, finding }) => condition.condition === "phase.complete" && finding.standing === "missing";

function gateProblems(report) {
  const kinds = { contradicted: "contradicted", stale: "contradicted", unmet: "unmet", missing: "missing" };
  // What would be lost is told by survival, with the places.
  const isToldBefore = ({ condition, finding }) => condition.condition === "data.survives" && report.survival && finding.standing === "unmet";
  return shortcomings(report)
    .filter((one) => !isWaived(one.condition) && !isOrderOfPlan(one) && !isToldBefore(one))
    .map((one) => ({
      kind: kinds[one.finding.standing] || "unmet", state: shownStanding(one.finding), what: one.finding.subject,
      why: one.finding.why, command: one.finding.supply, place: one.phase.place,
      note: `${one.condition.condition}, gate of ${one.shuts.join(", ")}${one.condition.absolute ? "; nobody can waive it" : ""}` }));
}

const isLost = (thing) => thing.ending === "lost" && thing.wanted && !thing.givenUp;

function losses(report) {
  return listOf((report.survival || {}).things).filter(isLost).map((thing) => ({
    kind: "loss", state: "lost", what: placeOf(thing), why: `${thing.what}: ${thing.why}`, command: thing.supply, place: "survival" }));
}

function gaps(report) {
  const found = [];
  listOf(report.audit).forEach((section, i) => {
    const name = `${section.section} of ${section.agent}`;
    const place = placeOfSection(i);
    if (section.failure) found.push({ kind: "gap", state: "problem", what: name, why: section.failure, place });
    for (const gap of listOf(section.problems)) found.push({ kind: "gap", state: "problem", what: `${name}: ${gap.part}`, why: gap.why, place });
    if (!section.whole && !section.failure && listOf(section.problems).length === 0) found.push({ kind: "gap", state: "problem", what: name, why: section.result, place });
  });
  for (const missing of listOf((report.survival || {}).notRead)) found.push({ kind: "gap", state: "problem", what: missing.section, why: missing.why, place: "survival" });
  return found;
}

function turnsOfPeople(report) {
  return allSteps(report).filter((step) => waitsForPerson(step) || (step.instruction && step.state !== "succeeded")).map((step) => ({
    kind: "person", state: "person", what: `${step.step} on ${step.agent}`, why: step.instruction || step.wait.why, hint: step.instruction && step.wait && step.wait.why,
    place: step.place }));
}

function waivers(report) {
  const found = new Map();
  for (const phase of listOf(report.phases))
    for (const [, gate] of sides(phase))
      for (const condition of listOf(gate && gate.conditions).filter(isWaived))
        found.set(`${condition.condition}\n${condition.of}\n${condition.waived}`, { kind: "waived", state: "waived",
          what: `${condition.condition} of ${condition.of}`, why: condition.waived, note: `gate of ${phase.phase}`, place: phase.place });
  return [...found.values()];
}

// ---- shown

function problemsSection(problems) {
  if (problems.length === 0) return section("problems", "Problems", "", el("p", { class: "fine" }, mark("done", "Nothing failed, nothing is missing.")));
  const shown = groups.map(([kind, heading, meaning]) => {
    const items = problems.filter((problem) => problem.kind === kind);
    return items.length > 0 ? problemGroup(kind, heading, meaning, items) : null;
  });
  return section("problems", "Problems", problems.length, shown);
}

function problemGroup(kind, heading, meaning, items) {
  const list = (some) => el("ul", { class: "problems" }, some.map(problemItem));
  const more = items.slice(shownAtOnce);
  return el("div", { class: `group ${toneOf(stateOfGroup[kind])}` },
    el("h3", null, icon(stateOfGroup[kind]), heading, " ", el("span", { class: "count" }, String(items.length))),
    meaning ? el("p", { class: "quiet" }, meaning) : null,
    list(items.slice(0, shownAtOnce)),
    more.length > 0 ? folded({ class: "plain" }, `and ${more.length} more`, () => list(more)) : null);
}

function problemItem(problem) {
  const name = el("b", null, problem.what);
  return el("li", null,
    el("div", null, mark(problem.state || "problem"), " ", problem.place ? el("a", { href: "#" + problem.place }, name) : name),
    problem.why ? el("div", null, problem.why) : null,
    problem.hint ? el("div", null, el("span", { class: "quiet" }, "Next: "), problem.hint) : null,
    problem.command ? el("div", null, el("span", { class: "quiet" }, "To supply it: "), code(problem.command)) : null,
    problem.note ? el("div", { class: "quiet" }, problem.note) : null);
}
