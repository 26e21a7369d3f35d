// Frames with people who have numbers <-> what is shown at a time, who is when, and files of it, in the form of
// hpe/video/rows.py. Pure: node tests it.
import { ANGLES, anglesOf } from "./angles.js";
import { Problem } from "./messages.js";
import { skeletonOf } from "./skeleton.js";

/** The frame that holds at `time`, its keypoints between those of the frames before and after; null outside. */
export function frameAt(frames, time) {
  if (!frames.length) return null;
  let low = 0;
  let high = frames.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (frames[middle].time <= time + 1e-6) low = middle;
    else high = middle - 1;
  }
  const [before, after] = [frames[low], frames[low + 1]];
  if (!after || time <= before.time) return before;
  const share = (time - before.time) / (after.time - before.time);
  const next = new Map(after.people.map((person) => [person.id, person]));
  const between = (a, b) => a + (b - a) * share;
  const people = before.people.map((person) => {
    const then = next.get(person.id);
    if (!then) return person;
    return {
      ...person, box: person.box.map((v, i) => between(v, then.box[i])),
      keypoints: person.keypoints.map((k, i) => ({ ...k, x: between(k.x, then.keypoints[i].x), y: between(k.y, then.keypoints[i].y), score: Math.min(k.score, then.keypoints[i].score) })),
    };
  });
  return { ...before, people };
}

/** [{id, parts: [[from, to] s]}] by number; gap: s without somebody that still is one part. */
export function spans(frames, gap) {
  const found = new Map();
  for (const { time, people } of frames) {
    for (const { id } of people) {
      const parts = found.get(id) ?? found.set(id, []).get(id);
      if (parts.length && time - parts.at(-1)[1] <= gap) parts.at(-1)[1] = time;
      else parts.push([time, time]);
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([id, parts]) => ({ id, parts }));
}

const rounded = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;

/** A person of a frame as a row: the API's, and hpe video's. */
function rowOf({ frame, time, threshold }, { id, score, box, keypoints, raw = {} }) {
  return {
    frame, time: rounded(time, 4), id, score: rounded(score, 3), box: box.map((v) => rounded(v, 1)), threshold,
    keypoints: Object.fromEntries(keypoints.map((k) => [k.name, [rounded(k.x, 1), rounded(k.y, 1), rounded(k.score, 3)]])), raw,
    angles: Object.fromEntries(anglesOf({ box, keypoints }, threshold).map(({ name, degrees }) => [name, degrees])),
  };
}

const rowsOf = (frames) => frames.flatMap((frame) => frame.people.map((person) => rowOf(frame, person)));

/** A line a person a frame. */
export const tracksJsonl = (frames) => rowsOf(frames).map((row) => `${JSON.stringify(row)}\n`).join("");

/** A row a person a frame: their keypoints side by side. */
export function tracksCsv(frames) {
  const rows = rowsOf(frames);
  const names = Object.keys(rows[0]?.keypoints ?? {});
  const angles = rows.length ? Object.keys(ANGLES) : [];
  const head = ["frame", "time", "id", "score", "x0", "y0", "x1", "y1",
    ...names.flatMap((name) => ["x", "y", "score", "raw_x", "raw_y"].map((part) => `${name}_${part}`)), ...angles.map((name) => `angle_${name}`)];
  const lines = rows.map((row) => [row.frame, row.time, row.id, row.score, ...row.box,
    ...names.flatMap((name) => [...row.keypoints[name], ...(row.raw[name] ?? ["", ""])]), ...angles.map((name) => row.angles[name] ?? "")]);
  return [head, ...lines].map((row) => `${row.join(",")}\n`).join("");
}

/** Frames that nobody is in have no row: without them the last one who was seen would stay. */
function withGaps(frames) {
  if (!frames.length) return frames;
  const [first, last] = [frames[0], frames.at(-1)];
  const step = last.frame > first.frame ? (last.time - first.time) / (last.frame - first.frame) : 1 / 30;
  const empty = (frame, time) => ({ ...first, frame, time, people: [] });
  const before = first.frame > 0 ? [empty(0, 0)] : [];
  return [...before, ...frames.flatMap((one, i) => (frames[i + 1]?.frame === one.frame + 1 ? [one] : [one, empty(one.frame + 1, one.time + step)]))];
}

/** The API's JSON lines -> frames. size: {width, height} of the upright frame in px. */
export function framesOf(text, size) {
  const frames = [];
  try {
    for (const line of text.split("\n").filter(Boolean)) {
      const { frame, time, threshold = 0.5, id, score, box, keypoints, raw } = JSON.parse(line);
      const skeleton = frames[0]?.skeleton ?? skeletonOf(Object.keys(keypoints));
      if (frames.at(-1)?.frame !== frame) frames.push({ frame, time, threshold, skeleton, ...size, people: [] });
      frames.at(-1).people.push({ id, score, box, raw, keypoints: Object.entries(keypoints).map(([name, [x, y, sure]]) => ({ name, x, y, score: sure })) });
    }
  } catch {
    throw new Problem("badAnswer");
  }
  return withGaps(frames);
}
