// Frames with people who have numbers -> what is shown at a time, who is when, and files of it. Pure: node tests it.

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

/** A line a person a frame. */
export const tracksJsonl = (frames) => frames.flatMap(({ time, people }) =>
  people.map(({ id, score, box, keypoints }) => `${JSON.stringify({ time: Number(time.toFixed(4)), id, score, box, keypoints })}\n`)).join("");

/** A row a person a frame: their keypoints side by side. */
export function tracksCsv(frames) {
  const names = frames.flatMap(({ people }) => people)[0]?.keypoints.map(({ name }) => name) ?? [];
  const head = ["time", "id", "score", "box_x0", "box_y0", "box_x1", "box_y1", ...names.flatMap((name) => [`${name}_x`, `${name}_y`, `${name}_score`])];
  const rows = frames.flatMap(({ time, people }) => people.map(({ id, score, box, keypoints }) =>
    [time.toFixed(4), id, score, ...box, ...keypoints.flatMap(({ x, y, score: sure }) => [x, y, sure])]));
  return [head, ...rows].map((row) => `${row.join(",")}\n`).join("");
}
