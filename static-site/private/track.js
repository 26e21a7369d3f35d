// Frames in turn -> who is in each, with an identity: the locator every few frames, between them a crop where each person is
// expected. The small sister of hpe/video/follow.py.
import { JOINTS } from "../skeleton.js";
import { areaOf, iou, oks } from "./boxes.js";
import { alike, lookOf } from "./look.js";
import { createFilter } from "./smooth.js";

const PATIENCE_S = 2; // how long somebody hidden keeps their number
const FOLLOWED = 0.6; // of the least score of a person who is reported: who is followed may fall so low
const FITS = 0.25;
const SAME = 0.7;
// somebody hidden is believed to be who appears near enough (own heights: at once, and for each second), as large, in their colours
const [NEAR, NEAR_PER_S, BACK_LOOK, BACK] = [0.5, 1, 0.5, 0.35];
const GOES_ON_S = 0.3; // how long a motion is believed to go on
const SPEED_S = 0.15;
const COMMON = 3; // keypoints sure in both frames from which a motion is read
const ROOM = 0.05; // round sure keypoints, of the box's sides
const SAME_BOX = 0.5; // IoU from which the locator means somebody who is followed
// what was taken for a person and is none, at a place: IoU from which it is the same, and in how many looks it is left out then
const [DULL, DULL_LOOKS] = [0.8, 4];

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const moved = (box, [dx, dy]) => box.map((v, i) => v + (i % 2 ? dy : dx));

/** How a person's box follows their keypoints since the locator last saw them. base, seen: {points, scores, box}. */
export function followedBox(base, seen, threshold) {
  const both = base.scores.flatMap((score, j) => (score >= threshold && seen.scores[j] >= threshold ? [j] : []));
  let { box } = seen;
  if (both.length >= COMMON) {
    const middle = [0, 1].map((axis) => median(both.map((j) => base.points[j][axis])));
    const now = [0, 1].map((axis) => median(both.map((j) => seen.points[j][axis])));
    const spread = (points, from) => both.reduce((sum, j) => sum + Math.abs(points[j][0] - from[0]) + Math.abs(points[j][1] - from[1]), 0);
    const scale = Math.min(1.25, Math.max(0.8, spread(seen.points, now) / Math.max(spread(base.points, middle), 1e-6)));
    box = base.box.map((v, i) => (v - middle[i % 2]) * scale + now[i % 2]);
  }
  const sure = seen.points.filter((_, j) => seen.scores[j] >= threshold);
  if (!sure.length) return box;
  const room = [box[2] - box[0], box[3] - box[1]].map((side) => side * ROOM);
  const least = [0, 1].map((axis) => Math.min(...sure.map((p) => p[axis])) - room[axis]);
  const most = [0, 1].map((axis) => Math.max(...sure.map((p) => p[axis])) + room[axis]);
  return [Math.min(box[0], least[0]), Math.min(box[1], least[1]), Math.max(box[2], most[0]), Math.max(box[3], most[1])];
}

/** estimator: see estimator.js. Returns step(image, time s) -> {people: [{id, points, scores, box, score}], located}. */
export function createTracker({ locate, person, credible, sigmas, card }, { every = 5, most = 20, smooth = true } = {}) {
  const { threshold, personThreshold, keypoints: names = JOINTS } = card.pose;
  let tracks = [];
  let ids = 0;
  let since = Infinity;
  let dull = []; // {box, looks: how often to leave it out}

  const mixed = (before, look) => (before && look ? before.map((v, i) => 0.8 * v + 0.2 * look[i]) : look ?? before);
  const known = (seen) => ({ points: seen.points, known: seen.scores.map((score) => score >= threshold), area: areaOf(seen.box) });
  const expected = (track, time) => {
    const shift = track.velocity.map((v) => v * Math.min(Math.max(time - track.time, 0), GOES_ON_S));
    return { ...track.seen, box: moved(track.box, shift), points: track.seen.points.map(([x, y]) => [x + shift[0], y + shift[1]]) };
  };

  function update(track, seen, time, located) {
    const both = seen.scores.flatMap((score, j) => (score >= threshold && track.seen.scores[j] >= threshold ? [j] : []));
    const passed = Math.max(time - track.time, 1e-3);
    if (both.length >= COMMON) {
      const g = 1 - Math.exp(-passed / SPEED_S);
      track.velocity = track.velocity.map((v, axis) => v + g * (median(both.map((j) => seen.points[j][axis] - track.seen.points[j][axis])) / passed - v));
    }
    if (located) track.base = seen;
    track.look = mixed(track.look, seen.look);
    Object.assign(track, { seen, time, box: located ? seen.box : followedBox(track.base, seen, threshold) });
    const size = Math.sqrt((seen.box[2] - seen.box[0]) * (seen.box[3] - seen.box[1]));
    track.shown = { ...seen, id: track.id, raw: seen.points, points: smooth ? track.filter(seen.points, seen.scores, size, time) : seen.points };
  }

  /** Everybody who was in the last frame, each by a crop where they are expected; false where someone was lost. */
  async function follow(image, time, last) {
    for (const track of tracks.filter((one) => one.time === last)) {
      const { box } = expected(track, time);
      const seen = await person(image, box, track.seen.located, true);
      const doubled = tracks.some((other) => other !== track && other.time === time && oks(known(seen), known(other.seen), sigmas) >= SAME);
      if (seen.score >= FOLLOWED * personThreshold && !doubled) update(track, seen, time, false);
    }
    return tracks.every((track) => track.time === time || track.time !== last);
  }

  const fit = (track, seen, time) => {
    const there = expected(track, time);
    const overlap = iou(there.box, seen.box);
    return 0.5 * oks(known(there), known(seen), sigmas) + 0.3 * overlap + (overlap > 0 ? 0.2 * alike(track.look, seen.look) : 0);
  };

  /** How well a newcomer fits somebody who was hidden for some time. */
  function back(track, seen, time) {
    const { box } = expected(track, time);
    const middle = ([x0, y0, x1, y1]) => [(x0 + x1) / 2, (y0 + y1) / 2];
    const size = ([x0, y0, x1, y1]) => Math.max(x1 - x0, y1 - y0);
    const [from, to] = [middle(box), middle(seen.box)];
    const apart = Math.hypot(from[0] - to[0], from[1] - to[1]) / (size(box) * (NEAR + NEAR_PER_S * (time - track.time)));
    const ratio = size(seen.box) / size(box);
    const look = alike(track.look, seen.look);
    return apart < 1 && ratio > 0.6 && ratio < 1.6 && look >= BACK_LOOK ? 0.5 * look + 0.5 * (1 - apart) : 0;
  }

  /** Pairs of those tracks and people, best first, none twice; those that fit less than `least` stay apart. */
  function pair(some, people, worth, least, time) {
    const pairs = some.flatMap((track) => people.map((seen) => ({ track, seen, worth: worth(track, seen, time) })));
    const [taken, met] = [new Set(), new Set()];
    for (const { track, seen, worth: value } of pairs.sort((a, b) => b.worth - a.worth)) {
      if (value < least || taken.has(track) || met.has(seen)) continue;
      taken.add(track);
      met.add(seen);
      update(track, seen, time, true);
    }
    return people.filter((seen) => !met.has(seen));
  }

  const lookOfSeen = (image, seen) => (image.data ? lookOf(image, seen, names, threshold) : null);

  /** Boxes of those who are followed in this frame keep their tracks in place; the rest -> who is there and is not followed. */
  async function newcomers(image, boxes, held) {
    for (const track of held) {
      const [best] = boxes.filter(({ box }) => iou(box, track.box) >= SAME_BOX).toSorted((a, b) => iou(b.box, track.box) - iou(a.box, track.box));
      if (!best) continue;
      track.seen = { ...track.seen, located: best.score };
      Object.assign(track, { base: { ...track.seen, box: best.box }, box: best.box, look: mixed(track.look, lookOfSeen(image, track.seen)) });
    }
    const fresh = boxes.filter(({ box }) => !held.some((track) => iou(box, track.box) >= SAME_BOX) && !dull.some((one) => iou(box, one.box) >= DULL));
    const found = [];
    for (const { box, score } of fresh) found.push(await person(image, box, score, true));
    const people = credible(found, Math.max(0, ...held.map(({ seen }) => seen.score)))
      .filter((seen) => !held.some((track) => oks(known(seen), known(track.seen), sigmas) >= SAME));
    const none = fresh.filter(({ box }) => !people.some((seen) => seen.box === box)).map(({ box }) => ({ box, looks: DULL_LOOKS }));
    dull = [...dull.map(({ box, looks }) => ({ box, looks: looks - 1 })).filter(({ looks }) => looks), ...none];
    return people.map((seen) => ({ ...seen, look: lookOfSeen(image, seen) }));
  }

  async function lookRound(image, time) {
    const held = tracks.filter((track) => track.time === time);
    const people = await newcomers(image, await locate(image, most), held);
    const left = pair(tracks.filter((track) => track.time !== time), people, fit, FITS, time);
    const strangers = pair(tracks.filter((track) => track.time !== time), left, back, BACK, time);
    for (const seen of strangers) {
      const track = { id: ++ids, seen, base: seen, box: seen.box, time, velocity: [0, 0], filter: createFilter() };
      update(track, seen, time, true);
      tracks.push(track);
    }
  }

  let last = -1;
  return async (image, time) => {
    tracks = tracks.filter((track) => track.time === last || time - track.time <= PATIENCE_S); // however slow the frames come
    since += 1;
    const kept = await follow(image, time, last);
    const located = since >= every || !tracks.length || !kept;
    if (located) {
      await lookRound(image, time);
      since = 0;
    }
    last = time;
    return { people: tracks.filter((track) => track.time === time).map((track) => track.shown), located };
  };
}
