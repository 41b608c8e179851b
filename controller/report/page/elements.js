// The only ways in which anything comes onto the page: elements, and texts as texts. Nothing here or elsewhere makes markup of a
// text, and no id or address is made of one.

const svgSpace = "http://www.w3.org/2000/svg";

// What shows nothing, or changes the order of what is around it: told by its number instead, since a name could pass for another.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const numberOf = (sign) => "U+" + sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

function put(parent, text) {
  const whole = String(text);
  if (!controls.test(whole)) {
    parent.append(document.createTextNode(whole));
    return;
  }
  let plain = "";
  for (const sign of whole) {
    if (!controls.test(sign)) {
      plain += sign;
      continue;
    }
    parent.append(document.createTextNode(plain), control(sign));
    plain = "";
  }
  parent.append(document.createTextNode(plain));
}

function control(sign) {
  const shown = document.createElement("span");
  shown.className = "control";
  shown.append(document.createTextNode(numberOf(sign)));
  return shown;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    if (child instanceof Node) element.append(child);
    else put(element, child);
  }
  return element;
}

const el = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(svgSpace, name), attributes, children);

// A sentence with `names` in it, as the programs write them.
const prose = (text) =>
  typeof text === "string" && text.includes("`")
    ? text.split("`").map((part, i, all) => (i % 2 === 1 && i < all.length - 1 ? code(part) : part))
    : text;
// A command, or words about what would help.
const supplyOf = (text) => (/^relab(-agent)? /.test(text) ? code(text) : prose(text));

// For screen readers alone.
const hidden = (text) => el("span", { class: "hidden" }, text);
const code = (text) => el("code", { class: String(text).length > 72 && "long" }, text);
const listOf = (value) => (Array.isArray(value) ? value : []);

// ---- what is made when it is looked at, and otherwise when the browser has nothing else to do, so that it can be searched

const waiting = new Set();

class Lazy {
  // `make` gives what comes below the summary.
  constructor(attributes, summary, make, open) {
    this.element = el("details", attributes, el("summary", null, summary));
    this.make = make;
    if (open) this.element.open = true;
    if (open) this.now();
    else waiting.add(this);
    this.element.addEventListener("toggle", () => this.element.open && this.now());
  }

  now() {
    if (!this.make) return;
    const make = this.make;
    this.make = null;
    waiting.delete(this);
    fill(this.element, null, [make()]);
  }
}

const folded = (attributes, summary, make, open = false) => new Lazy(attributes, summary, make, open).element;

// Each of them may bring more.
function makeAll() {
  for (const lazy of waiting) lazy.now();
}

function makeInSpareTime() {
  const spare = window.requestIdleCallback || ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 30));
  spare((deadline) => {
    for (const lazy of waiting) {
      lazy.now();
      if (deadline.timeRemaining() < 4) break;
    }
    if (waiting.size > 0) makeInSpareTime();
    else document.documentElement.dataset.whole = "yes";
  });
}

// ---- places that links lead to, within what may not be made yet

const places = new Map();

// `lazies` from the outermost to the innermost that the place is in.
function reveal(id) {
  const lazies = places.get(id);
  if (!lazies) return false;
  for (const lazy of lazies()) {
    lazy.now();
    lazy.element.open = true;
  }
  const place = document.getElementById(id);
  if (!place) return false;
  place.scrollIntoView({ block: "start" });
  const target = place.querySelector("summary") || place;
  target.focus({ preventScroll: true });
  return true;
}

const linkTo = (id, ...text) => el("a", { href: "#" + id }, ...text);
