// Gates as `relab gate` judges them: each condition, each finding, and what it rests on.

function gateBlock(title, gate) {
  if (!gate) return null;
  const conditions = listOf(gate.conditions);
  if (conditions.length === 0 && gate.open) return null;
  const first = [...conditions].sort((a, b) => passes(a) - passes(b));
  return el("div", { class: "gate" },
    el("h4", null, title, ": ", mark(gate.open ? "open" : "shut")),
    first.map((condition) => conditionBlock(condition)));
}

function conditionBlock(condition) {
  const findings = listOf(condition.findings);
  const met = findings.filter((finding) => finding.met).length;
  const summary = [mark(stateOf(condition)), " ", code(condition.condition), condition.of ? ` of ${condition.of}` : "",
    el("span", { class: "quiet" }, findings.length > 0 ? `${met} of ${findings.length} met` : "nothing was looked at"),
    condition.absolute ? el("span", { class: "tag" }, "nobody can waive it") : null];
  return folded({ class: "condition" }, summary, () => [
    isWaived(condition) ? el("p", { class: "notice" }, mark("waived", "Waived by a person: "), condition.waived) : null,
    el("ul", { class: "findings" }, [...findings].sort((a, b) => a.met - b.met).map(findingItem)),
  ], !passes(condition));
}

function findingItem(finding) {
  return el("li", null,
    el("span", { class: "finding" }, mark(shownStanding(finding)), " ", el("b", null, finding.subject), " ", el("span", null, finding.why)),
    finding.supply ? el("span", { class: "supply" }, "To supply it: ", code(finding.supply)) : null,
    finding.agent || finding.task ? evidence(finding) : null);
}

function evidence(finding) {
  return folded({ class: "evidence plain" }, ["Evidence: ", finding.agent, ", ", time(finding.ended)], () => pairs(
    ["agent", finding.agent], ["task", finding.task && code(finding.task)],
    ["report", finding.digest ? code(finding.digest) : "none came"], ["ended", time(finding.ended)]));
}

// ---- all gates of a phase

const sides = (phase) => [["Before it begins", "entry"], ["While it runs", "steps"], ["Before anything after it", "proof"]]
  .map(([title, side]) => [title, (phase.gate || {})[side]]);

// {condition, finding, phase, side} of all that is not met, the same finding once.
function shortcomings(report) {
  const found = new Map();
  for (const phase of listOf(report.phases))
    for (const [side, gate] of sides(phase))
      for (const condition of listOf(gate && gate.conditions))
        for (const finding of listOf(condition.findings)) {
          if (finding.met) continue;
          const key = [condition.condition, finding.subject, finding.standing, finding.why].join("\n");
          if (!found.has(key)) found.set(key, { condition, finding, phase, side, shuts: [] });
          const known = found.get(key);
          if (!known.shuts.includes(phase.phase)) known.shuts.push(phase.phase);
        }
  return [...found.values()];
}
