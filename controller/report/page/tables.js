// Tables: each scrolls in a box of its own where it is wider than the page, and can be filtered where it is long.

const longTable = 15;

// A column is {title, number}; a cell is a text, a number or a node. `alarm(i)` says which rows must be seen.
function table(title, columns, rows, options = {}) {
  const head = el(
    "tr",
    null,
    columns.map((column) => el("th", { scope: "col", class: column.number && "number" }, column.title)),
  );
  const body = el(
    "tbody",
    null,
    rows.map((row, i) => tableRow(columns, row, options.alarm && options.alarm(i))),
  );
  const shown = el(
    "table",
    { class: options.class },
    el("caption", { class: options.quiet && "hidden" }, title),
    el("thead", null, head),
    body,
  );
  giveRoom(head, body);
  const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, shown);
  return rows.length > longTable ? el("div", null, filter(title, body), box) : box;
}

function tableRow(columns, row, alarm) {
  return el(
    "tr",
    { class: alarm && "alarm" },
    columns.map((column, i) => {
      const cell = row[i];
      const text = cell === undefined || cell === null ? "" : cell;
      return el(
        i === 0 ? "th" : "td",
        { class: column.number && "number", scope: i === 0 ? "row" : null },
        i === 0 && alarm ? [icon("problem"), hidden("problem: ")] : null,
        text,
      );
    }),
  );
}

// Each column as much as its longest word takes, and more where it has sentences: but no single text makes a table wide.
function giveRoom(head, body) {
  Array.from(head.cells).forEach((title, i) => {
    let word = title.textContent.length;
    let text = 0;
    for (const row of Array.from(body.rows).slice(0, 200)) {
      const words = row.cells[i] ? row.cells[i].textContent : "";
      text = Math.max(text, words.length);
      for (const part of words.split(/[\s/]+/)) word = Math.max(word, part.length);
    }
    title.style.minWidth = `${Math.max(Math.min(word, 24), Math.min(text / 2.5, 34)) + 3}ch`;
  });
}

function filter(title, body) {
  const all = body.rows.length;
  const said = el("span", { role: "status" }, counted(all, "row"));
  const input = el("input", {
    type: "search",
    "aria-label": `Filter: ${title}`,
    placeholder: "Filter",
    autocomplete: "off",
    spellcheck: "false",
  });
  let texts = null;
  input.addEventListener("input", () => {
    texts = texts || Array.from(body.rows, (row) => row.textContent.toLowerCase());
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    texts.forEach((text, i) => {
      const passes = words.every((word) => text.includes(word));
      body.rows[i].hidden = !passes;
      left += passes ? 1 : 0;
    });
    said.textContent = left === all ? counted(all, "row") : `${left} of ${counted(all, "row")}`;
  });
  return el("div", { class: "filter" }, input, said);
}

// A table as the data has it: {title, columns: [{title, number}], rows, notes, alarms}.
function givenTable(given) {
  const columns = listOf(given.columns);
  const rows = listOf(given.rows);
  const alarms = new Set(listOf(given.alarms));
  // What is wrong comes first, otherwise in the order in which it was given.
  const order = rows.map((_, i) => i).sort((a, b) => alarms.has(b) - alarms.has(a) || a - b);
  return [
    rows.length > 0 && columns.length > 0
      ? table(
          given.title || "",
          columns,
          order.map((i) => rows[i]),
          { alarm: (i) => alarms.has(order[i]) },
        )
      : el("p", { class: "quiet" }, el("b", null, given.title), " none"),
    listOf(given.notes).map((note) => el("p", { class: "note" }, note)),
  ];
}

// Pairs of a name and something; those with nothing are left out.
function pairs(...rows) {
  const told = rows.filter(
    ([, value]) => value !== undefined && value !== null && value !== "" && value !== false && value.length !== 0,
  );
  return el(
    "dl",
    { class: "pairs" },
    told.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))),
  );
}
