// What an installation leaves, what the audit found, the agents, the ledger.

function section(id, title, count, ...children) {
  places.set(id, () => []);
  return el(
    "section",
    { id, "aria-labelledby": `${id}-title`, tabindex: "-1" },
    el("h2", { id: `${id}-title` }, title, count === "" ? null : el("span", { class: "count" }, String(count))),
    children,
  );
}

// ---- survival

const placeOf = (thing) => `${thing.path || "somewhere"}${thing.vmid ? ` in guest ${thing.vmid}` : ""} of ${thing.host}`;

function endingOf(thing) {
  if (thing.ending !== "lost") return thing.ending;
  return isLost(thing) ? "lost" : "gone";
}

const demandOf = (thing) => (thing.givenUp ? "may be lost" : thing.wanted ? "must be kept" : "");

function survivalSection(survival) {
  const things = listOf(survival.things);
  const lost = things.filter(isLost);
  const parts = [
    ["Would be lost, and must be kept", lost, true],
    ["Would be lost, and nobody asks for it", things.filter((thing) => thing.ending === "lost" && !isLost(thing))],
    ["Lost, but in an archive that was read back", things.filter((thing) => thing.ending === "preserved")],
    ["Survives", things.filter((thing) => thing.ending === "survives")],
  ];
  return section(
    "survival",
    "What survives an installation",
    things.length,
    el(
      "p",
      null,
      lost.length > 0
        ? mark("lost", `${counted(lost.length, "thing")} that must be kept would be lost.`)
        : mark("survives", "All that must be kept survives, or is preserved."),
    ),
    listOf(survival.installed).length === 0
      ? el("p", { class: "quiet" }, "No phase of the plan installs a host anew: this is what would become of it if one did.")
      : null,
    notRead(listOf(survival.notRead)),
    parts
      .filter(([, some]) => some.length > 0)
      .map(([title, some, open]) =>
        folded(
          { class: "part" },
          [mark(endingOf(some[0]), title), el("span", { class: "count" }, String(some.length))],
          () => survivalTable(title, some),
          open,
        ),
      ),
  );
}

function notRead(missing) {
  if (missing.length === 0) return null;
  return el(
    "div",
    { class: "notice" },
    mark("problem", `${counted(missing.length, "section")} of the audit not read: what they would show is not counted here.`),
    folded({ class: "plain" }, "Which", () =>
      el(
        "ul",
        null,
        missing.map((one) => el("li", null, el("b", null, one.section), ": ", one.why)),
      ),
    ),
  );
}

function survivalTable(title, things) {
  const columns = [{ title: "Where" }, { title: "What" }, { title: "Why" }, { title: "What helps" }, { title: "Demand" }];
  const rows = things.map((thing) => [
    placeOf(thing),
    thing.what,
    prose(thing.why),
    thing.supply && supplyOf(thing.supply),
    demandOf(thing),
  ]);
  return table(title, columns, rows, { quiet: true });
}

// ---- audit

const placeOfSection = (number) => `audit-${number}`;

function auditState(section) {
  if (!section.whole) return "problem";
  return section.absent ? "absent" : "succeeded";
}

function auditWords(section) {
  if (section.result !== "succeeded") return section.result;
  return section.whole ? wordOf(auditState(section)) : `${section.result}, but not whole`;
}

function auditSection(audit, changes) {
  const columns = [{ title: "Section" }, { title: "Agent" }, { title: "Result" }, { title: "Found" }, { title: "Read" }];
  const order = audit.map((_, i) => i).sort((a, b) => audit[a].whole - audit[b].whole || a - b);
  const rows = order.map((i) => [
    linkTo(placeOfSection(i), audit[i].section),
    audit[i].agent,
    mark(auditState(audit[i]), auditWords(audit[i])),
    foundIn(audit[i]),
    audit[i].taken_at ? time(audit[i].taken_at) : "never",
  ]);
  return section(
    "audit",
    "Audit",
    audit.length,
    table("Sections of the audit", columns, rows, { quiet: true }),
    changesOfAudit(changes),
    order.map((i) => auditPart(audit[i], placeOfSection(i))),
  );
}

function foundIn(section) {
  const tables = listOf(section.tables);
  const counts = tables
    .filter((one) => listOf(one.rows).length > 0)
    .map((one) => countedRows(one))
    .slice(0, 4);
  return [section.absent, ...counts].filter(Boolean).join(", ");
}

// "2 pools", "1 pool": the title is a plural.
const countedRows = (one) => `${one.rows.length} ${one.rows.length === 1 ? String(one.title).replace(/ies$/, "y").replace(/s$/, "") : one.title}`;

function auditPart(part, id) {
  const summary = [
    mark(auditState(part), auditWords(part)),
    " ",
    el("span", { class: "name" }, part.section),
    el("span", { class: "quiet" }, `on ${part.agent}`),
    el("span", { class: "quiet" }, foundIn(part)),
  ];
  const lazy = new Lazy({ class: "part", id }, summary, () => auditBody(part), false);
  places.set(id, () => [lazy]);
  return lazy.element;
}

function auditBody(part) {
  const gapList = (title, state, some) =>
    some.length === 0
      ? null
      : el(
          "div",
          { class: state === "problem" ? "notice" : null },
          mark(state, title),
          el(
            "ul",
            null,
            some.map((gap) => el("li", null, el("b", null, gap.part), ": ", gap.why)),
          ),
        );
  return [
    part.failure ? el("p", { class: "notice bad" }, mark("failed", `${part.result}: `), part.failure) : null,
    gapList("Could not be read", "problem", listOf(part.problems)),
    part.absent ? el("p", null, mark("absent", "Not on this machine: "), part.absent) : null,
    listOf(part.tables).map(givenTable),
    gapList("Not on this machine", "absent", listOf(part.parts)),
  ];
}

// {from, to, changes: as `relab audit diff` has them}
function changesOfAudit(given) {
  if (!given) return null;
  const line = (change) => {
    const path = listOf(change.path).join(" ");
    if (change.change === "added") return `+ ${path}: ${change.after}`;
    if (change.change === "removed") return `- ${path}: ${change.before}`;
    return `~ ${path}: ${change.before} -> ${change.after}`;
  };
  const lines = listOf(given.changes).map(line);
  return folded(
    { class: "part" },
    [el("b", null, "Changes since the audit before"), el("span", { class: "count" }, String(lines.length))],
    () => [
      pairs(["from run", given.from && code(given.from)], ["to run", given.to && code(given.to)]),
      lines.length > 0 ? diffLines(lines) : el("p", { class: "quiet" }, "No differences."),
    ],
    lines.length > 0 && lines.length <= 20,
  );
}

// ---- agents

function agentsSection(agents) {
  const columns = [
    { title: "Agent" },
    { title: "Role" },
    { title: "Version" },
    { title: "Address" },
    { title: "Last seen" },
    { title: "Enrolled" },
    { title: "Task kinds" },
    { title: "Answer" },
    { title: "Fingerprint" },
    { title: "Machine" },
  ];
  const rows = agents.map((agent) => [
    agent.name,
    agent.role,
    agent.version,
    agent.endpoint && code(agent.endpoint),
    agent.lastSeen ? time(agent.lastSeen) : "never",
    time(agent.enrolled),
    kindsOf(agent),
    agent.answer,
    agent.fingerprint && code(agent.fingerprint),
    agent.machineId && code(agent.machineId),
  ]);
  return section(
    "agents",
    "Agents",
    agents.length,
    agents.length > 0
      ? table("Agents", columns, rows, { quiet: true, alarm: (i) => agents[i].up === false })
      : el("p", { class: "quiet" }, "None is enrolled."),
  );
}

function kindsOf(agent) {
  if (!Array.isArray(agent.kinds)) return Number.isFinite(agent.kinds) ? String(agent.kinds) : "";
  return agent.kinds.length === 0 ? "0" : folded({ class: "plain" }, String(agent.kinds.length), () => agent.kinds.join(", "));
}

// ---- ledger

function ledgerSection(ledger, history) {
  const checkpoint = ledger.checkpoint || {};
  return section(
    "ledger",
    "Ledger",
    ledger.entries,
    pairs(
      ["lab", ledger.lab],
      ["entries", ledger.entries],
      ["signed orders", ledger.orders],
      ["signed reports", ledger.reports],
      ["checkpoints", ledger.checkpoints],
      ["head", ledger.head && code(ledger.head)],
      ["valid", ledger.valid === false ? mark("failed", "no") : ledger.valid && mark("met", "chain and signatures hold")],
      [
        "newest checkpoint",
        checkpoint.time && ["over ", counted(checkpoint.entries, "entry", "entries"), ", ", time(checkpoint.time)],
      ],
      ["its head", checkpoint.head && code(checkpoint.head)],
    ),
    history.length > 0
      ? folded({ class: "part" }, [el("b", null, "Entries"), el("span", { class: "count" }, String(history.length))], () =>
          historyTable(history),
        )
      : null,
  );
}

function historyTable(lines) {
  const columns = [
    { title: "Entry", number: true },
    { title: "Time" },
    { title: "Kind" },
    { title: "Phase" },
    { title: "Agent" },
    { title: "What" },
    { title: "Task" },
  ];
  return table(
    "Entries of the ledger",
    columns,
    lines.map((line) => [
      line.number,
      time(line.time),
      line.kind,
      line.phase,
      line.agent,
      line.what,
      line.task && code(line.task),
    ]),
    { quiet: true },
  );
}
