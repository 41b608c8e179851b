// What is wrong or missing, first. Gathered from what the report tells elsewhere, so that the two cannot disagree, together with
// what it names as problems itself.

const shownAtOnce = 6;

// Groups in the order of their weight: [kind, heading, what it means].
const groups = [
  ["failed", "Failed steps"],
  ["unwell", "Not well at the end", "A pool or a disk, whether a gate asks or not."],
  ["contradicted", "Evidence that is void", "Something later speaks against it, or it is too old."],
  ["unmet", "Conditions that do not hold"],
  ["loss", "Would be lost", "Must be kept, but neither survives the installation nor is in an archive that was read back."],
  ["undecided", "Lost unless somebody decides", "Neither kept nor given up in lab.toml, and gone after the installation."],
  ["clash", "Does not fit", "What lab.toml asks for cannot all be."],
  ["gap", "Not read", "The audit is not whole: what was not read may be there."],
  ["person", "For you to do"],
  ["missing", "Still missing", "Evidence that nobody has supplied yet."],
  ["waived", "Waived", "A person signed for going on although this is not so."],
  ["other", "Also"],
];

const stateOfGroup = {
  failed: "failed",
  unwell: "problem",
  contradicted: "contradicted",
  unmet: "unmet",
  loss: "lost",
  undecided: "lost",
  clash: "problem",
  gap: "problem",
  person: "person",
  missing: "missing",
  waived: "waived",
  other: "problem",
};

// {kind, state, what, why, hint, command, note, place}
function problemsOf(report) {
  const ofGates = gateProblems(report);
  // What a gate says of a section is not said twice.
  const told = new Set(ofGates.map((problem) => problem.what));
  return [
    ...failedSteps(report),
    ...ofGates,
    ...losses(report),
    ...gaps(report).filter((gap) => !told.has(gap.about)),
    ...turnsOfPeople(report),
    ...waivers(report),
    ...listOf(report.problems).map((problem) => namedProblem(report, problem)),
  ];
}

const allSteps = (report) => listOf(report.phases).flatMap(stepsOf);

function namedProblem(report, problem) {
  const kind = Object.hasOwn(stateOfGroup, problem.kind) ? problem.kind : "other";
  return { ...problem, kind, state: stateOfGroup[kind], place: placeNamed(report, problem) };
}

function placeNamed(report, problem) {
  const step = allSteps(report).find((one) => one.step === problem.step);
  const phase = listOf(report.phases).find((one) => one.phase === problem.phase);
  return (step || phase || {}).place;
}

function failedSteps(report) {
  return allSteps(report)
    .filter(hasFailed)
    .map((step) => {
      const failure = step.failure || {};
      return {
        kind: "failed",
        state: step.state,
        what: `${step.step} on ${step.agent}`,
        why: failure.what || "",
        hint: failure.hint,
        place: step.place,
      };
    });
}

// Of the only condition `name`.
const isOnlyOf = (one, name) => one.conditions.size === 1 && one.conditions.has(name);
// That a later phase waits for one before it is the plan, and no problem; and what failed there is told by its step.
function isOrderOfPlan(one, report) {
  if (!isOnlyOf(one, "phase.complete")) return false;
  const failed = listOf(report.phases)
    .filter((phase) => stepsOf(phase).some(hasFailed))
    .map((phase) => phase.phase);
  return one.finding.standing === "missing" || [...one.of].every((name) => failed.includes(name));
}

function noteOf({ conditions, shuts, absolute }) {
  const gates = `${shuts.size > 1 ? "gates" : "gate"} of ${[...shuts].join(", ")}`;
  return `${[...conditions].join(", ")}: ${gates}${absolute ? "; nobody can waive it" : ""}`;
}

function gateProblems(report) {
  const kinds = { contradicted: "contradicted", stale: "contradicted", unmet: "unmet", missing: "missing" };
  // What would be lost is told by survival, with the places.
  const untold = listOf((report.survival || {}).things).some((thing) => isLost(thing) && !isInstalled(report, thing));
  const isToldBefore = (one) =>
    isOnlyOf(one, "data.survives") && report.survival && !untold && one.finding.standing === "unmet";
  return shortcomings(report)
    .filter((one) => !isOrderOfPlan(one, report) && !isToldBefore(one))
    .map((one) => ({
      kind: kinds[one.finding.standing] || "unmet",
      state: shownStanding(one.finding),
      what: one.finding.subject,
      why: one.finding.why,
      command: one.finding.supply,
      place: one.phase.place,
      note: noteOf(one),
    }));
}

const isLost = (thing) => thing.ending === "lost" && thing.wanted && !thing.givenUp;
// Nothing is lost on a host that no phase installs anew.
const isInstalled = (report, thing) => listOf(report.survival.installed).includes(thing.host);

function losses(report) {
  return listOf((report.survival || {}).things)
    .filter((thing) => isLost(thing) && isInstalled(report, thing))
    .map((thing) => ({
      kind: "loss",
      state: "lost",
      what: placeOf(thing),
      why: `${thing.what}: ${thing.why}`,
      command: thing.supply,
      place: "survival",
    }));
}

function gaps(report) {
  const found = [];
  listOf(report.audit).forEach((section, i) => {
    const name = `${section.section} of ${section.agent}`;
    const place = placeOfSection(i);
    const tell = (what, why) => found.push({ kind: "gap", state: "problem", what, why, place, about: name });
    const problems = listOf(section.problems);
    if (section.failure) tell(name, section.failure);
    for (const gap of problems) tell(`${name}: ${gap.part}`, gap.why);
    if (!section.whole && !section.failure && problems.length === 0) tell(name, section.result);
  });
  const known = new Set(found.map((gap) => gap.about));
  for (const missing of listOf((report.survival || {}).notRead))
    if (!known.has(missing.section))
      found.push({
        kind: "gap",
        state: "problem",
        what: missing.section,
        why: missing.why,
        place: "survival",
        about: missing.section,
      });
  return found;
}

function turnsOfPeople(report) {
  return allSteps(report)
    .filter((step) => waitsForPerson(step) || (step.instruction && step.state !== "succeeded"))
    .map((step) => ({
      kind: "person",
      state: "person",
      what: `${step.step} on ${step.agent}`,
      why: step.instruction || step.wait.why,
      hint: step.instruction && step.wait && step.wait.why !== step.instruction ? step.wait.why : "",
      place: step.place,
    }));
}

function waivers(report) {
  const found = new Map();
  for (const phase of listOf(report.phases))
    for (const [, gate] of sides(phase))
      for (const condition of listOf(gate && gate.conditions).filter(isWaived))
        found.set(`${condition.condition}\n${condition.of}\n${condition.waived}`, {
          kind: "waived",
          state: "waived",
          what: `${condition.condition} of ${condition.of}`,
          why: condition.waived,
          note: `gate of ${phase.phase}`,
          place: phase.place,
        });
  return [...found.values()];
}

// ---- shown

function problemsSection(problems) {
  if (problems.length === 0)
    return section("problems", "Problems", "", el("p", { class: "fine" }, mark("done", "Nothing failed, nothing is missing.")));
  const shown = groups.map(([kind, heading, meaning]) => {
    const items = problems.filter((problem) => problem.kind === kind);
    return items.length > 0 ? problemGroup(kind, heading, meaning, items) : null;
  });
  return section("problems", "Problems", problems.length, shown);
}

// Those of which the same is to be said, together: {first, all}.
function alike(problems) {
  const found = new Map();
  for (const problem of problems) {
    const key = [problem.state, problem.why, problem.hint, problem.command, problem.note].join("\n");
    if (!found.has(key)) found.set(key, { first: problem, all: [] });
    found.get(key).all.push(problem);
  }
  return [...found.values()];
}

function problemGroup(kind, heading, meaning, problems) {
  const items = alike(problems);
  const list = (some) => el("ul", { class: "problems" }, some.map(problemItem));
  const more = items.slice(shownAtOnce);
  return el(
    "div",
    { class: `group ${toneOf(stateOfGroup[kind])}` },
    el("h3", null, icon(stateOfGroup[kind]), heading, " ", el("span", { class: "count" }, String(problems.length))),
    meaning ? el("p", { class: "quiet" }, meaning) : null,
    list(items.slice(0, shownAtOnce)),
    more.length > 0 ? folded({ class: "plain" }, `and ${counted(more.length, "more", "more")}`, () => list(more)) : null,
  );
}

function problemItem({ first, all }) {
  const names = all.map((problem, i) => [
    i > 0 ? ", " : null,
    problem.place ? linkTo(problem.place, problem.what) : el("span", null, problem.what),
  ]);
  return el(
    "li",
    null,
    el("div", { class: "what" }, mark(first.state || "problem"), el("span", null, names)),
    first.why ? el("div", null, prose(first.why)) : null,
    first.hint ? el("div", null, el("span", { class: "quiet" }, "Next: "), prose(first.hint)) : null,
    first.command || first.note
      ? el(
          "div",
          { class: "more" },
          first.command ? el("span", null, el("span", { class: "quiet" }, "What helps: "), supplyOf(first.command)) : null,
          first.note ? el("span", { class: "quiet" }, first.note) : null,
        )
      : null,
  );
}
