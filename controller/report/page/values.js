// Numbers, times and sizes as people read them; alike to what the commands print.

const counted = (number, one, many = one + "s") => `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;

function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 0) return "-" + duration(-seconds);
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor(whole / 3600) % 24} h`;
}

function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let unit = 0;
  for (; number >= 1024 && unit + 1 < units.length; ++unit) number /= 1024;
  return unit === 0 ? `${number} B` : `${number.toFixed(1)} ${units[unit]}`;
}

// Milliseconds; NaN for what is no time.
const instant = (iso) => (typeof iso === "string" ? Date.parse(iso) : NaN);

// ---- clocks: that of the lab, and in a rehearsal the time since it began

const clock = { zone: "UTC", began: NaN, formats: new Map() };

function setClock(zone, began) {
  clock.began = instant(began);
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
    clock.zone = zone || "UTC";
  } catch {
    clock.zone = "UTC";
  }
}

function formatted(at, options) {
  const key = Object.keys(options).join();
  if (!clock.formats.has(key))
    clock.formats.set(key, new Intl.DateTimeFormat("en-GB", { ...options, timeZone: clock.zone, hourCycle: "h23" }));
  return clock.formats.get(key).format(at);
}

const day = (at) => formatted(at, { day: "numeric", month: "short" });
const clockTime = (at) => formatted(at, { hour: "2-digit", minute: "2-digit" });
const clockSeconds = (at) => formatted(at, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const isSimulated = (at) => at >= clock.began;

function wordsOf(at) {
  if (isSimulated(at)) return at === clock.began ? "at the beginning" : `after ${duration((at - clock.began) / 1000)}`;
  return formatted(at, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function time(iso) {
  const at = instant(iso);
  if (Number.isNaN(at)) return el("span", null, iso || "");
  return el("time", { datetime: iso, title: iso }, wordsOf(at));
}

const seconds = (from, to) => (instant(to) - instant(from)) / 1000;
