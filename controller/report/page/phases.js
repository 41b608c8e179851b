// The phases in the order of the plan, with gates, tracks and steps.

const placeOfPhase = (number) => `phase-${number}`;

// Numbers, since names come from outside. `report` is numbered once.
function numberAll(report) {
  let count = 0;
  listOf(report.phases).forEach((phase, i) => {
    phase.place = placeOfPhase(i);
    for (const step of stepsOf(phase)) step.place = `step-${count++}`;
  });
}

function phaseBlock(phase, made) {
  const steps = stepsOf(phase);
  const done = steps.filter((step) => step.state === "succeeded").length;
  const summary = [
    el("h3", null, mark(phase.state), " ", el("span", { class: "name" }, phase.phase), " ", el("span", null, phase.title)),
    el(
      "span",
      { class: "quiet" },
      steps.length > 0 ? `${done} of ${counted(steps.length, "step")}` : "no steps",
      phaseTime(steps),
    ),
  ];
  const shown = steps.some(hasFailed) || ["failed", "running", "person"].includes(phase.state);
  const lazy = new Lazy({ class: "phase", id: phase.place }, summary, () => phaseBody(phase, made), shown);
  places.set(phase.place, () => [lazy]);
  for (const step of steps)
    places.set(step.place, () => {
      lazy.now();
      return [lazy, step.lazy];
    });
  return lazy.element;
}

function phaseTime(steps) {
  const spans = steps
    .flatMap((step) => [step, ...listOf(step.earlier)])
    .filter((one) => (one.started || one.ordered) && one.ended)
    .map((one) => ({ from: instant(one.started || one.ordered), to: instant(one.ended) }));
  if (spans.length > 0) return `, ${duration(lengthOf(joined(spans, 0)) / 1000)}`;
  const expected = steps.map(expectedSeconds).filter(Number.isFinite);
  return expected.length > 0 ? `, expected ${duration(expected.reduce((a, b) => a + b, 0))} of work` : "";
}

function phaseBody(phase, made) {
  const run = phase.run || {};
  return [
    listOf(phase.installs).length > 0
      ? el(
          "p",
          { class: "notice" },
          mark("problem", "Installs anew: "),
          phase.installs.join(", "),
          ". Whatever lies on the disks of its system is overwritten.",
        )
      : null,
    pairs(
      ["after", listOf(phase.after).join(", ")],
      ["run", run.run && code(run.run)],
      ["started", run.started && time(run.started)],
      ["ended", run.started && (run.ended ? time(run.ended) : "not yet")],
      ["mode", run.check && "check: nothing was changed"],
      ["track", run.track],
    ),
    sides(phase).map(([title, gate]) => gateBlock(title, gate)),
    phaseChart(phase, made),
    listOf(phase.tracks).map(trackBlock),
    listOf(phase.tracks).length === 0
      ? el("p", { class: "quiet" }, "No tracks yet: this phase is never taken for done.")
      : null,
  ];
}

function trackBlock(track) {
  const steps = listOf(track.steps);
  return el(
    "div",
    { class: "track" },
    el(
      "h4",
      null,
      "Track ",
      el("span", { class: "name" }, track.track),
      track.title ? ` ${track.title}` : "",
      track.agent ? el("span", { class: "quiet" }, `on ${track.agent}`) : null,
    ),
    steps.length > 0
      ? steps.map(stepBlock)
      : el("p", { class: "quiet" }, "No steps yet: not automated, and never taken for done."),
  );
}

function stepBlock(step) {
  const name = step.step.split("/").pop();
  const summary = [
    mark(shownState(step)),
    el("span", { class: "name" }, name),
    el("span", { class: "quiet" }, `${step.kind || ""} on ${step.agent}`),
    listOf(step.destroys).length > 0 ? el("span", { class: "tag alarm" }, "destroys") : null,
    step.instruction ? el("span", { class: "tag" }, "yours") : null,
    el("span", { class: "quiet right" }, tookWords(step)),
  ];
  step.lazy = new Lazy(
    { class: `step ${toneOf(shownState(step))}`, id: step.place },
    summary,
    () => stepBody(step),
    hasFailed(step) || waitsForPerson(step),
  );
  return step.lazy.element;
}

function stepBody(step) {
  return [
    failureNotice(step),
    step.wait && step.wait.for
      ? el(
          "p",
          { class: "notice" },
          mark(waitsForPerson(step) ? "person" : "waiting", `Waits for ${step.wait.for}: `),
          step.wait.why,
        )
      : null,
    step.instruction ? el("p", { class: "notice" }, mark("person", "What a person does: "), step.instruction) : null,
    listOf(step.destroys).length > 0
      ? el(
          "div",
          { class: "notice" },
          mark("problem", "Destroys"),
          el(
            "ul",
            null,
            step.destroys.map((thing) => el("li", null, thing)),
          ),
        )
      : null,
    changesBlock(step),
    logBlock(step),
    listOf(step.earlier).map(earlierBlock),
    pairs(
      ["step", code(step.step)],
      ["kind", step.kind && code(step.kind)],
      ["agent", step.agent],
      ["mode", step.mode === "check" ? "check: nothing was changed" : step.mode],
      ["ordered", step.ordered && time(step.ordered)],
      ["started", step.started && time(step.started)],
      ["ended", step.ended && time(step.ended)],
      ["took", duration(tookSeconds(step))],
      ["expected", expectedWords(step)],
      ["at most", duration(step.deadlineSeconds)],
      ["moved", movedWords(step)],
      ["attempt", step.attempt],
      ["secrets", listOf(step.secrets).join(", ")],
      [
        "waited",
        listOf(step.waits).map((wait) =>
          el(
            "div",
            null,
            `for ${wait.for}, from `,
            time(wait.from),
            wait.to ? [" to ", time(wait.to)] : "",
            wait.why ? `: ${wait.why}` : "",
          ),
        ),
      ],
      ["task", step.task && code(step.task)],
      ["report", step.digest && code(step.digest)],
    ),
  ];
}

// An attempt before the last one: what it did is done, and nobody would look for it elsewhere.
function earlierBlock(one) {
  const from = one.started || one.ordered;
  return el(
    "div",
    { class: "earlier" },
    el("h5", null, `Attempt ${one.attempt}: `, mark(one.state)),
    el("p", { class: "quiet" }, "from ", time(from), one.ended ? [" to ", time(one.ended)] : null),
    failureNotice(one),
    changesBlock(one),
    logBlock(one),
    pairs(["task", one.task && code(one.task)], ["report", one.digest && code(one.digest)]),
  );
}

function failureNotice(step) {
  const failure = step.failure;
  if (!failure) return null;
  return el(
    "div",
    { class: "notice bad" },
    el("p", null, mark(shownState(step)), " ", el("b", null, prose(failure.what))),
    failure.hint ? el("p", null, "Next: ", prose(failure.hint)) : null,
    listOf(failure.during).map((during) => el("p", { class: "quiet" }, "while ", during)),
    failure.fault ? el("p", { class: "quiet" }, "fault: ", failure.fault) : null,
  );
}

function expectedWords(step) {
  const expected = step.expected || {};
  const length = duration(expectedSeconds(step));
  if (!length && !expected.basis) return "";
  return [
    length,
    expected.start ? [", from ", time(expected.start), " to ", time(expected.end)] : null,
    expected.basis ? `: ${expected.basis}` : "",
  ];
}

function movedWords(step) {
  if (!Number.isFinite(step.bytes)) return "";
  const took = tookSeconds(step);
  const rate = Number.isFinite(step.bytesPerSecond) ? step.bytesPerSecond : took > 0 ? step.bytes / took : NaN;
  return bytes(step.bytes) + (Number.isFinite(rate) ? `, ${bytes(rate)}/s` : "");
}

const signs = { "+": "added", "-": "removed", "~": "changed" };

function diffLines(lines) {
  return el(
    "div",
    { class: "diff", role: "list" },
    lines.map((line) => el("div", { role: "listitem", class: signs[String(line)[0]] || null }, line)),
  );
}

function changesBlock(step) {
  const lines = listOf(step.changes);
  if (!Array.isArray(step.changes)) return null;
  const title = step.mode === "check" ? "Would change" : "Changes";
  if (lines.length === 0) return el("p", { class: "quiet" }, `${title}: nothing.`);
  return el("div", null, el("h5", null, title), diffLines(lines));
}

function logBlock(step) {
  const lines = listOf(step.log);
  if (lines.length === 0) return null;
  return el(
    "div",
    null,
    el("h5", null, "End of the log"),
    el(
      "pre",
      { class: "log", tabindex: "0", role: "region", "aria-label": `Log of ${step.step}` },
      lines.map((line) => [line, "\n"]),
    ),
  );
}
