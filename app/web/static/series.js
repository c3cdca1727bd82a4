// Curves as they are kept: however many points are told, about so many stay.

const MOST = 40000; // points of all lines
const FEWEST = 16; // points of a line

/** Lines of trials and splits, each point with all its measures. A line that has grown too long
 * keeps every second point, and from then on takes in every second one; its last is always known. */
export class Series {
  constructor() {
    this.lines = new Map();
  }

  /** Adds a point `{ x, …measures }`. */
  add(trial, arm, split, point) {
    const key = `${trial} ${split}`;
    const line = this.lines.get(key) ?? this.begin(key, { arm, split, points: [], last: null, told: 0, step: 1 });
    line.last = point;
    if (line.told++ % line.step) return;
    line.points.push(point);
    this.trim(line);
  }

  begin(key, line) {
    this.lines.set(key, line);
    const count = this.lines.size;
    if ((count & (count - 1)) === 0) this.lines.forEach((each) => this.trim(each)); // as often as their number has doubled
    return line;
  }

  trim(line) {
    while (line.points.length > Math.max(FEWEST, MOST / this.lines.size)) {
      line.points = line.points.filter((_, place) => place % 2 === 0);
      line.step *= 2;
    }
  }

  /** The lines of a measure and a split, each as `{ arm, points: [[x, y], …] }`. */
  of(measure, split) {
    const found = [];
    for (const { arm, split: own, points, last } of this.lines.values()) {
      if (own !== split) continue;
      const known = [];
      for (const point of points) if (Number.isFinite(point[measure])) known.push([point.x, point[measure]]);
      if (last !== points.at(-1) && Number.isFinite(last[measure])) known.push([last.x, last[measure]]);
      if (known.length) found.push({ arm, points: known });
    }
    return found;
  }
}
