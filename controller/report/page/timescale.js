// Where on a line a time is. Hours in which nothing happened are left out, so that a minute of audit and a night of copying can
// both be seen: the line consists of stretches, in each of which it runs evenly, with breaks between.

const breakWidth = 22;
const leastStretch = 40;

const tickSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000,
].map((step) => step * 1000);

// Of spans {from, to} in milliseconds; those that overlap, or nearly, become one.
function joined(spans, gapMax) {
  const stretches = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = stretches[stretches.length - 1];
    if (last && span.from - last.to <= gapMax) last.to = Math.max(last.to, span.to);
    else stretches.push({ from: span.from, to: Math.max(span.to, span.from + 1) });
  }
  return stretches;
}

const lengthOf = (stretches) => stretches.reduce((sum, stretch) => sum + stretch.to - stretch.from, 0);

class TimeScale {
  constructor(spans, width) {
    this.width = width;
    const most = Math.max(1, Math.floor(width / 150));
    let gap = Math.max(60000, lengthOf(joined(spans, 0)) * 0.06);
    this.stretches = joined(spans, gap);
    while (this.stretches.length > most) this.stretches = joined(spans, (gap *= 1.5));
    const count = this.stretches.length;
    const room = width - breakWidth * (count - 1);
    const least = count === 1 ? 0 : Math.min(leastStretch, room / count / 2);
    const perMs = (room - least * count) / lengthOf(this.stretches);
    let x = 0;
    for (const stretch of this.stretches) {
      stretch.x = x;
      stretch.width = least + (stretch.to - stretch.from) * perMs;
      x += stretch.width + breakWidth;
    }
  }

  x(at) {
    let last = this.stretches[0];
    for (const stretch of this.stretches) if (stretch.from <= at) last = stretch;
    const part = Math.min(1, Math.max(0, (at - last.from) / (last.to - last.from)));
    return last.x + part * last.width;
  }

  breaks() {
    return this.stretches.slice(1).map((stretch, i) => {
      const before = this.stretches[i];
      return { x: before.x + before.width + breakWidth / 2, ms: stretch.from - before.to };
    });
  }

  // {x, text} without overlaps, for about 6 pixels a sign.
  ticks() {
    const all = [];
    for (const stretch of this.stretches) {
      const step = tickSteps.find((ms) => (ms / (stretch.to - stretch.from)) * stretch.width >= 72) || Infinity;
      const zero = isSimulated(stretch.from) ? clock.began : 0;
      all.push({ x: stretch.x, text: tickText(stretch.from, step, true) });
      for (let at = zero + Math.ceil((stretch.from - zero) / step) * step; at < stretch.to; at += step)
        if (at > stretch.from) all.push({ x: this.x(at), text: tickText(at, step, step >= 86400000) });
    }
    const shown = [];
    let free = -Infinity;
    for (const tick of all) {
      const room = tick.text.length * 6.2 + 10;
      if (tick.x < free || tick.x + room > this.width + 12) continue;
      shown.push(tick);
      free = tick.x + room;
    }
    return shown;
  }
}

function tickText(at, step, isFirst) {
  if (isSimulated(at)) return "+" + (step >= 3600000 ? wholeHours(at) : elapsed(at));
  const hour = step < 60000 ? clockSeconds(at) : clockTime(at);
  if (!isFirst) return hour;
  return step >= 86400000 && step !== Infinity ? day(at) : `${day(at)} ${hour}`;
}

// "1 d 6 h", "1 d", "6 h" where that is all of it.
function wholeHours(at) {
  const hours = (at - clock.began) / 3600000;
  if (!Number.isInteger(hours) || hours === 0) return elapsed(at);
  return [
    [Math.floor(hours / 24), "d"],
    [hours % 24, "h"],
  ]
    .filter(([number]) => number > 0)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(" ");
}
