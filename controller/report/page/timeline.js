// The timeline: a picture drawn by this script, and the same as a table.
//
// A row is {label, hint, bars, id}; a bar is {from, to, state, text, isExpected, isWait} in milliseconds.

const rowHeight = 22;
const barHeight = 12;
const signWidth = 6.7;

class Chart {
  constructor(title, rows, table) {
    this.title = title;
    this.rows = rows;
    this.drawn = 0;
    this.box = el("div", { class: "chart" });
    this.element = el("figure", { class: "timeline" }, this.box, legend(rows), table);
    charts.push(this);
    if (window.ResizeObserver) sizes.observe(this.box);
  }

  draw(least = 0) {
    const width = Math.floor(this.box.clientWidth) || least;
    if (width === 0 || width === this.drawn) return;
    this.drawn = width;
    this.box.replaceChildren(picture(this.title, this.rows, width));
  }
}

const charts = [];
const chartOf = new Map();
const sizes =
  window.ResizeObserver &&
  new ResizeObserver((entries) => {
    for (const entry of entries) {
      const chart = chartOf.get(entry.target) || charts.find((one) => one.box === entry.target);
      chartOf.set(entry.target, chart);
      requestAnimationFrame(() => chart.draw());
    }
  });

function picture(title, rows, width) {
  const isBeside = width >= 620;
  const longest = Math.max(...rows.map((row) => row.label.length));
  const left = isBeside ? Math.min(Math.round(width * 0.33), Math.round(longest * signWidth) + 16) : 0;
  const height = isBeside ? rowHeight : rowHeight + 14;
  const top = 26;
  const scale = new TimeScale(
    rows.flatMap((row) => row.bars),
    width - left - 20,
  );
  const whole = top + rows.length * height + 4;
  const drawing = svg("svg", {
    viewBox: `0 0 ${width} ${whole}`,
    width,
    height: whole,
    role: "img",
    "aria-label": `${title}. The table below tells the same.`,
  });
  for (const tick of scale.ticks())
    drawing.append(
      svg("line", { class: "grid", x1: left + tick.x, x2: left + tick.x, y1: top - 6, y2: whole }),
      svg("text", { class: "tick", x: left + tick.x + 3, y: top - 11 }, tick.text),
    );
  for (const gap of scale.breaks())
    drawing.append(
      svg(
        "rect",
        { class: "break", x: left + gap.x - 6, y: top - 6, width: 12, height: whole - top + 6 },
        svg("title", null, `${duration(gap.ms / 1000)} without anything, left out`),
      ),
    );
  const signs = Math.floor((isBeside ? left - 12 : width - 4) / signWidth);
  rows.forEach((row, i) => {
    const y = top + i * height;
    drawing.append(
      svg(
        "text",
        { class: "label", x: 0, y: isBeside ? y + 14 : y + 11 },
        shorter(row.label, signs),
        svg("title", null, row.hint || row.label),
      ),
    );
    // What failed is not hidden by what succeeded beside it.
    const last = [...row.bars].sort((a, b) => (toneOf(a.state) === "bad") - (toneOf(b.state) === "bad"));
    for (const bar of last) drawing.append(drawBar(bar, scale, left, y + (isBeside ? 4 : 17)));
  });
  return drawing;
}

function drawBar(bar, scale, left, y) {
  const from = left + scale.x(bar.from);
  const width = Math.max(3, left + scale.x(bar.to) - from);
  const tone = toneOf(bar.state);
  const kind = bar.isWait ? "wait" : bar.isExpected ? "expected" : "done";
  const shown = svg("rect", { class: `bar ${kind} ${tone}`, x: from, y, width, height: barHeight, rx: 2 });
  const group = svg("g", null, svg("title", null, bar.text), shown);
  // What failed is told by a shape, too, at the end of its bar.
  if (tone === "bad" && !bar.isWait)
    group.append(svg("path", { class: "cross", d: `M${from + width + 4} ${y + 2}l8 8m0-8l-8 8` }));
  return group;
}

// What bars of waiting are filled with: once on the page.
function patterns() {
  const hatch = (id, kind) =>
    svg(
      "pattern",
      { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 6, height: 6, class: `ground ${kind}` }),
      svg("rect", { width: 2.5, height: 6, class: `line ${kind}` }),
    );
  return svg(
    "svg",
    { class: "hidden", width: 0, height: 0, "aria-hidden": "true" },
    svg("defs", null, hatch("hatch-yours", "yours"), hatch("hatch-still", "still")),
  );
}

const shorter = (text, signs) => (text.length <= signs ? text : text.slice(0, Math.max(1, signs - 1)) + "\u2026");

function legend(rows) {
  const bars = rows.flatMap((row) => row.bars);
  const entry = (kind, words) =>
    el(
      "li",
      null,
      svg(
        "svg",
        { class: "sample", viewBox: "0 0 18 10", "aria-hidden": "true" },
        svg("rect", { class: "bar " + kind, x: 0.5, y: 0.5, width: 17, height: 9, rx: 2 }),
      ),
      words,
    );
  const entries = [
    [bars.some((bar) => bar.state === "succeeded" && !bar.isExpected && !bar.isWait), "done good", "succeeded"],
    [bars.some((bar) => toneOf(bar.state) === "bad" && !bar.isWait), "done bad", "failed, with a cross behind it"],
    [bars.some((bar) => toneOf(bar.state) === "busy" && !bar.isExpected), "done busy", "running"],
    [bars.some((bar) => bar.isExpected), "expected still", "expected"],
    [bars.some((bar) => bar.isWait && bar.state === "person"), "wait yours", "a person's turn"],
    [bars.some((bar) => bar.isWait && bar.state !== "person"), "wait still", "waiting"],
  ];
  return el(
    "ul",
    { class: "legend" },
    entries.filter(([is]) => is).map(([, kind, words]) => entry(kind, words)),
  );
}

// ---- bars of a step

function barsOf(step, made) {
  const bars = listOf(step.earlier).flatMap((one) =>
    barsOf({ ...one, step: `${step.step}, attempt ${one.attempt}` }, made),
  );
  for (const wait of listOf(step.waits)) {
    const state = ["person", "approval"].includes(wait.for) ? "person" : "waiting";
    add(bars, wait.from, wait.to || made, {
      state,
      isWait: true,
      text: `${step.step}: waited for ${wait.for}. ${wait.why || ""}`,
    });
  }
  if (step.started)
    add(bars, step.started, step.ended || made, {
      state: step.state,
      text: `${step.step}: ${wordOf(step.state)}, ${tookWords(step)}`,
    });
  else if (step.ordered && step.ended)
    add(bars, step.ordered, step.ended, { state: step.state, text: `${step.step}: ${wordOf(step.state)}` });
  else if (step.expected && step.expected.start)
    add(bars, step.expected.start, step.expected.end, {
      state: "waiting",
      isExpected: true,
      text: `${step.step}: expected ${duration(expectedSeconds(step))}`,
    });
  return bars;
}

function add(bars, from, to, more) {
  const bar = { from: instant(from), to: instant(to), ...more };
  if (Number.isNaN(bar.from) || Number.isNaN(bar.to)) return;
  bar.to = Math.max(bar.to, bar.from);
  bars.push(bar);
}

const tookSeconds = (step) => (step.started && step.ended ? seconds(step.started, step.ended) : NaN);

function expectedSeconds(step) {
  const expected = step.expected || {};
  return Number.isFinite(expected.seconds) ? expected.seconds : seconds(expected.start, expected.end);
}

function tookWords(step) {
  const took = duration(tookSeconds(step));
  const expected = duration(expectedSeconds(step));
  if (took && expected) return `took ${took}, expected ${expected}`;
  if (took) return `took ${took}`;
  return expected ? `expected ${expected}` : "";
}

// ---- the same as tables

function stepTable(title, steps) {
  const columns = [
    { title: "Step" },
    { title: "Agent" },
    { title: "State" },
    { title: "Start" },
    { title: "End" },
    { title: "Took", number: true },
    { title: "Expected", number: true },
    { title: "Waited for" },
  ];
  const rows = steps.map((step) => [
    code(step.step),
    step.agent,
    mark(shownState(step)),
    time(startOf(step)),
    time(endOf(step)),
    duration(tookSeconds(step)),
    duration(expectedSeconds(step)),
    listOf(step.waits).map((wait) =>
      el(
        "div",
        null,
        `${wait.for}, from `,
        time(wait.from),
        wait.to ? [" to ", time(wait.to)] : " on",
        wait.why ? `: ${wait.why}` : "",
      ),
    ),
  ]);
  return table(title, columns, rows, { alarm: (i) => hasFailed(steps[i]) });
}

const startOf = (step) => step.started || (step.expected && step.expected.start) || "";
const endOf = (step) => step.ended || (step.expected && step.expected.end) || "";

// Null where no step has a time.
function phaseChart(phase, made) {
  const steps = stepsOf(phase);
  const many = steps.length > 40 && listOf(phase.tracks).length > 1;
  const rows = many
    ? listOf(phase.tracks).map((track) => ({
        label: track.track,
        bars: listOf(track.steps).flatMap((step) => barsOf(step, made)),
      }))
    : steps.map((step) => ({ label: nameIn(phase, step), hint: step.step, bars: barsOf(step, made) }));
  if (!rows.some((row) => row.bars.length > 0)) return null;
  const title = `Timeline of phase ${phase.phase}`;
  return new Chart(
    title,
    rows,
    folded({ class: "plain" }, "The same as a table", () => stepTable(title, steps)),
  ).element;
}

// One row for each phase that has a time.
function wholeChart(report) {
  const rows = listOf(report.phases).map((phase) => ({
    label: `${phase.phase}  ${phase.title || ""}`,
    bars: stepsOf(phase).flatMap((step) => barsOf(step, report.made)),
  }));
  const timed = rows.filter((row) => row.bars.length > 0);
  if (timed.length === 0) return null;
  const steps = listOf(report.phases).flatMap(stepsOf);
  return new Chart(
    "Timeline of all phases",
    timed,
    folded({ class: "plain" }, `The same as a table: ${counted(steps.length, "step")}`, () =>
      stepTable("Steps of all phases", steps),
    ),
  ).element;
}

const stepsOf = (phase) => listOf(phase.tracks).flatMap((track) => listOf(track.steps));

// "0b/write" of "0b/0b/write".
const nameIn = (phase, step) => (step.step.startsWith(phase.phase + "/") ? step.step.slice(phase.phase.length + 1) : step.step);
