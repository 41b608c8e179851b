// Gates as `relab gate` judges them: each condition, each finding, and what it rests on.

function gateBlock(title, gate) {
  if (!gate) return null;
  const conditions = listOf(gate.conditions);
  if (conditions.length === 0 && gate.open) return null;
  const first = [...conditions].sort((a, b) => passes(a) - passes(b));
  return el(
    "div",
    { class: "gate" },
    el("h4", null, title, ": ", mark(gate.open ? "open" : "shut")),
    first.map((condition) => conditionBlock(condition)),
  );
}

function conditionBlock(condition) {
  const findings = listOf(condition.findings);
  const met = findings.filter((finding) => finding.met).length;
  const summary = [
    mark(stateOf(condition)),
    " ",
    code(condition.condition),
    condition.of ? ` of ${condition.of}` : "",
    el("span", { class: "quiet" }, findings.length > 0 ? `${met} of ${findings.length} met` : "nothing was looked at"),
    condition.absolute ? el("span", { class: "tag" }, "nobody can waive it") : null,
  ];
  return folded(
    { class: "condition" },
    summary,
    () => [
      isWaived(condition) ? el("p", { class: "notice" }, mark("waived", "Waived by a person: "), condition.waived) : null,
      el("ul", { class: "findings" }, [...findings].sort((a, b) => a.met - b.met).map(findingItem)),
    ],
    !passes(condition),
  );
}

function findingItem(finding) {
  return el(
    "li",
    null,
    el(
      "span",
      { class: "finding" },
      mark(shownStanding(finding)),
      " ",
      el("b", null, finding.subject),
      " ",
      el("span", null, prose(finding.why)),
    ),
    finding.supply ? el("span", { class: "supply" }, "What helps: ", supplyOf(finding.supply)) : null,
    finding.agent || finding.task ? evidence(finding) : null,
  );
}

function evidence(finding) {
  return folded({ class: "evidence plain" }, ["Evidence: ", finding.agent, ", ", time(finding.ended)], () =>
    pairs(
      ["agent", finding.agent],
      ["task", finding.task && code(finding.task)],
      ["report", finding.digest ? code(finding.digest) : "none came"],
      ["ended", time(finding.ended)],
    ),
  );
}

// ---- all gates of a phase

const sides = (phase) =>
  [
    ["Before it begins", "entry"],
    ["While it runs", "steps"],
    ["Before anything after it", "proof"],
  ].map(([title, side]) => [title, (phase.gate || {})[side]]);

// {finding, conditions, of, phase, shuts, absolute} of all that is not met and not waived: the same finding once, with every
// condition and every phase whose gate it keeps shut.
function shortcomings(report) {
  const found = new Map();
  for (const phase of listOf(report.phases))
    for (const [, gate] of sides(phase))
      for (const condition of listOf(gate && gate.conditions).filter((one) => !isWaived(one)))
        for (const finding of listOf(condition.findings).filter((one) => !one.met)) {
          const key = [finding.subject, finding.standing, finding.why].join("\n");
          if (!found.has(key))
            found.set(key, { finding, phase, conditions: new Set(), of: new Set(), shuts: new Set(), absolute: false });
          const known = found.get(key);
          known.conditions.add(condition.condition);
          known.of.add(condition.of);
          known.shuts.add(phase.phase);
          known.absolute = known.absolute || Boolean(condition.absolute);
        }
  return [...found.values()];
}
