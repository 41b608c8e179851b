// What is said of a step, phase, finding or thing: a word, a tone and a shape. The shape and the word tell it without the colour.

// In a square of 16; drawn with the colour of the text.
const shapes = {
  tick: ["M2.5 8.5 6.3 12.3 13.5 4"],
  cross: ["M3.5 3.5 12.5 12.5", "M12.5 3.5 3.5 12.5"],
  lock: ["M3 7.2H13V14H3Z", "M5 7V5a3 3 0 0 1 6 0V7"],
  unlocked: ["M3 7.2H13V14H3Z", "M5 7V4.5a3 3 0 0 1 5.8-1"],
  person: ["M8 7.2a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6Z", "M2.5 14.4a5.5 5.5 0 0 1 11 0"],
  circle: ["M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Z"],
  running: ["M5 3 13 8 5 13Z"],
  bar: ["M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Z", "M4.2 11.8 11.8 4.2"],
  question: ["M5.2 5.6a2.8 2.8 0 1 1 4.2 2.4c-.9.5-1.4 1-1.4 2", "M8 13.1V13.2"],
  clock: ["M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11Z", "M8 5V8.2L10.4 9.6"],
  clash: ["M2.5 5.5H13.5", "M2.5 10.5H13.5", "M11 2.5 5 13.5"],
  warning: ["M8 2 14.5 13.5H1.5Z", "M8 6.5V9.6", "M8 11.5V11.6"],
  box: ["M2.5 5.5H13.5V13.5H2.5Z", "M1.5 2.5H14.5V5.5H1.5Z", "M6.5 8.5H9.5"],
  dash: ["M3.5 8H12.5"],
};

// Filled shapes are those that must not be missed.
const filled = new Set(["bad"]);

const states = {
  // steps
  succeeded: ["good", "tick", "succeeded"],
  failed: ["bad", "cross", "failed"],
  refused: ["bad", "bar", "refused"],
  cancelled: ["bad", "cross", "cancelled"],
  unknown: ["bad", "question", "unknown"],
  given_up: ["bad", "cross", "given up"],
  blocked: ["still", "bar", "blocked"],
  running: ["busy", "running", "running"],
  ordered: ["busy", "running", "ordered"],
  waiting: ["still", "circle", "waiting"],
  person: ["yours", "person", "waits for you"],
  never: ["still", "circle", "not run"],
  // phases
  complete: ["good", "tick", "complete"],
  ready: ["busy", "unlocked", "may begin"],
  closed: ["bad", "lock", "gate closed"],
  empty: ["still", "dash", "no steps yet"],
  // gates and what they rest on
  open: ["good", "unlocked", "open"],
  shut: ["bad", "lock", "CLOSED"],
  met: ["good", "tick", "met"],
  missing: ["yours", "circle", "missing"],
  stale: ["bad", "clock", "stale"],
  contradicted: ["bad", "clash", "contradicted"],
  unmet: ["bad", "cross", "unmet"],
  waived: ["yours", "warning", "waived"],
  // things
  lost: ["bad", "cross", "LOST"],
  gone: ["still", "dash", "lost"],
  preserved: ["good", "box", "preserved"],
  survives: ["good", "tick", "survives"],
  // the lab as a whole
  done: ["good", "tick", "done"],
  problem: ["bad", "warning", "problem"],
  absent: ["still", "dash", "absent"],
};

const known = (state) => Object.hasOwn(states, state);
const lookOf = (state) => states[known(state) ? state : "unknown"];
const toneOf = (state) => lookOf(state)[0];
const wordOf = (state) => (known(state) ? states[state][2] : state);

function icon(state) {
  const [tone, shape] = lookOf(state);
  return svg(
    "svg",
    { viewBox: "0 0 16 16", class: `icon ${tone}${filled.has(tone) ? " filled" : ""}`, "aria-hidden": "true" },
    shapes[shape].map((path) => svg("path", { d: path })),
  );
}

// The shape and the word, or other words in its place.
const mark = (state, words) =>
  el("span", { class: `mark ${toneOf(state)}` }, icon(state), el("span", null, words || wordOf(state)));

const hasFailed = (step) => ["failed", "refused", "cancelled", "unknown", "given_up"].includes(step.state);
const waitsFor = (step) => (step.wait && step.wait.for) || "";
const waitsForPerson = (step) => ["person", "approval"].includes(waitsFor(step));
// As it is shown: a step that waits for a person looks like that.
const shownState = (step) => (waitsForPerson(step) ? "person" : step.state || "never");
const shownStanding = (finding) => finding.standing || (finding.met ? "met" : "unmet");

const isWaived = (condition) => !condition.met && Boolean(condition.waived);
const passes = (condition) => condition.met || isWaived(condition);
const stateOf = (condition) => (condition.met ? "met" : isWaived(condition) ? "waived" : "unmet");
