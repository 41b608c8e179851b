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

// Milliseconds; NaN for what is no time in UTC. Browsers would take much more for one.
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/;
const instant = (iso) => (isoTime.test(iso) ? Date.parse(iso) : NaN);

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

// In a rehearsal, to the minute or, within the first hour, to the second: "1 d 19:05", "19:05 h", "5 min 20 s".
function elapsed(at) {
  const all = Math.round((at - clock.began) / 1000);
  if (all === 0) return "0";
  if (all < 3600) return duration(all);
  const two = (number) => String(number).padStart(2, "0");
  const days = Math.floor(all / 86400);
  const hours = `${two(Math.floor(all / 3600) % 24)}:${two(Math.floor(all / 60) % 60)}`;
  return days > 0 ? `${days} d ${hours}` : `${hours} h`;
}

const isSimulated = (at) => at >= clock.began;

function wordsOf(at) {
  if (isSimulated(at)) return "+" + elapsed(at);
  return formatted(at, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

function time(iso) {
  const at = instant(iso);
  if (Number.isNaN(at)) return el("span", null, iso || "");
  return el("time", { datetime: iso, title: iso }, wordsOf(at));
}

const seconds = (from, to) => (instant(to) - instant(from)) / 1000;
