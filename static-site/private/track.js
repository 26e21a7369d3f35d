// Frames in turn -> who is in each, with an identity: the locator every few frames, between them a crop where each person is
// expected. The small sister of hpe/video/follow.py.
import { JOINTS } from "../skeleton.js";
import { areaOf, iou, oks } from "./boxes.js";
import { alike, lookOf } from "./look.js";
import { createFilter } from "./smooth.js";

const PATIENCE_S = 2; // how long somebody hidden keeps their number
// somebody new counts after so many frames, one of which has to be so sure of them, of the least score of a person who is
// reported; in the first frame at once. What flickers, or looks a little like a person, is nobody
const [BIRTH, BIRTH_SURE] = [3, 1.6];
// and surer of somebody of whose box so much lies under somebody else's: between two who cross, parts of both look like a third
const [COVERED, BIRTH_SURE_COVERED] = [0.3, 2.5];
const FRAME_S = 0.04; // below 25 frames a second the locator runs as often as at 25: people walk out of their crops
const FOLLOWED = 0.6; // of the least score of a person who is reported: who is followed may fall so low
const FITS = 0.25;
const SAME = 0.7;
// somebody hidden is believed to be who appears near enough (own heights: at once, and for each second), as large, in their colours
const [NEAR, NEAR_PER_S, BACK_LOOK, BACK] = [0.5, 1, 0.5, 0.35];
// whom a track has in its place is taken for somebody hidden if their colours are hardly its own, and so much theirs
const [OTHER_LOOK, SAME_LOOK] = [0.5, 0.8];
const GOES_ON_S = 0.3; // how long a motion is believed to go on
const SPEED_S = 0.15;
const COMMON = 3; // keypoints sure in both frames from which a motion is read
const ROOM = 0.05; // round sure keypoints, of the box's sides
const SAME_BOX = 0.5; // IoU from which the locator means somebody who is followed
// what was taken for a person and is none, at a place: IoU from which it is the same, and in how many looks it is left out then
const [DULL, DULL_LOOKS] = [0.8, 4];

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
/** Of a box, how much lies under another. */
const covered = ([x0, y0, x1, y1], by) =>
  (Math.max(0, Math.min(x1, by[2]) - Math.max(x0, by[0])) * Math.max(0, Math.min(y1, by[3]) - Math.max(y0, by[1]))) / Math.max(1e-9, (x1 - x0) * (y1 - y0));
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
  let since = Infinity; // frames since everybody was looked for,
  let lookedAt = -Infinity; // s: when that was
  let dull = []; // {box, looks: how often to leave it out}

  const mixed = (before, look) => (before && look ? before.map((v, i) => 0.8 * v + 0.2 * look[i]) : look ?? before); // a crop alone has no look
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
    Object.assign(track, { hits: track.hits + 1, best: Math.max(track.best, seen.score) });
    const size = Math.sqrt((seen.box[2] - seen.box[0]) * (seen.box[3] - seen.box[1]));
    track.shown = { ...seen, raw: seen.points, points: smooth ? track.filter(seen.points, seen.scores, size, time) : seen.points };
  }

  /** Everybody who was in the last frame, each by a crop where they are expected; false where someone was lost. boxes: the locator's. */
  async function follow(image, time, last, boxes) {
    const found = [];
    for (const track of tracks.filter((one) => one.time === last)) {
      const there = expected(track, time);
      const seen = await person(image, there.box, nearest(boxes, there.box)?.score ?? track.seen.located, true);
      if (seen.score >= FOLLOWED * personThreshold) found.push({ track, seen, fits: oks(known(there), known(seen), sigmas) });
    }
    // of two on one person the one stays who has a number, or fits better
    const worse = (a, b) => (!a.track.id === !b.track.id ? a.fits < b.fits : !a.track.id);
    const lost = new Set();
    found.forEach((a, i) => {
      for (const b of found.slice(0, i)) {
        if (!lost.has(a) && !lost.has(b) && oks(known(a.seen), known(b.seen), sigmas) >= SAME) lost.add(worse(a, b) ? a : b);
      }
    });
    for (const one of found) if (!lost.has(one)) update(one.track, one.seen, time, false);
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

  /** Of the locator's boxes the one that means whoever is in this one. */
  const nearest = (boxes, own) => boxes.filter(({ box }) => iou(box, own) >= SAME_BOX).toSorted((a, b) => iou(b.box, own) - iou(a.box, own))[0];

  /** Who was hidden and whose colours are seen in a track's place, where its own should be; most often undefined. */
  function takenFor(track, look, time, last) {
    if (alike(track.look, look) >= OTHER_LOOK) return undefined;
    const gone = tracks.filter((one) => one.id && one.time < last && alike(one.look, look) >= SAME_LOOK);
    const worth = (one) => back(one, { ...track.seen, look }, time);
    return gone.filter((one) => worth(one) >= BACK).toSorted((a, b) => worth(b) - worth(a))[0];
  }

  /** Boxes of those who are followed in this frame keep their tracks in place; the rest -> who is there and is not followed. */
  async function newcomers(image, boxes, held, time, last) {
    for (const track of held) {
      const best = nearest(boxes, track.box);
      if (!best) continue;
      track.seen = { ...track.seen, located: best.score };
      const look = lookOf(image, track.seen, names, threshold);
      const other = takenFor(track, look, time, last);
      if (other) {
        update(other, { ...track.seen, look }, time, true);
        track.time = last; // and is nowhere to be seen
        continue;
      }
      Object.assign(track, { base: { ...track.seen, box: best.box }, box: best.box, look: mixed(track.look, look) });
    }
    const fresh = boxes.filter(({ box }) => !held.some((track) => iou(box, track.box) >= SAME_BOX) && !dull.some((one) => iou(box, one.box) >= DULL));
    const found = [];
    for (const { box, score } of fresh) found.push(await person(image, box, score, true));
    const people = credible(found, held.some(({ id }) => id) ? 1 : 0)
      .filter((seen) => !held.some((track) => oks(known(seen), known(track.seen), sigmas) >= SAME));
    const none = fresh.filter(({ box }) => !people.some((seen) => seen.box === box)).map(({ box }) => ({ box, looks: DULL_LOOKS }));
    dull = [...dull.map(({ box, looks }) => ({ box, looks: looks - 1 })).filter(({ looks }) => looks), ...none];
    return people.map((seen) => ({ ...seen, look: lookOf(image, seen, names, threshold) }));
  }

  /** The number of a newcomer who counts from now on: of somebody who has been hidden since before they came, or a new one. */
  function identity(image, track, time) {
    const seen = { ...track.seen, look: lookOf(image, track.seen, names, threshold) };
    const here = tracks.filter((one) => one.time === time).map(({ id }) => id);
    const gone = tracks.filter((one) => one.time < track.born && !here.includes(one.id)).map(({ id, ...one }) => ({ id, worth: back(one, seen, time) }));
    const [best] = gone.toSorted((a, b) => b.worth - a.worth);
    return best?.worth >= BACK ? best.id : ++ids;
  }

  function isSure(track, time) {
    const crowded = tracks.some((one) => one.id && one.time === time && covered(track.seen.box, one.seen.box) >= COVERED);
    return track.hits >= BIRTH && track.best >= (crowded ? BIRTH_SURE_COVERED : BIRTH_SURE) * personThreshold;
  }

  async function lookRound(image, time, last, boxes) {
    const held = tracks.filter((track) => track.time === time);
    const people = await newcomers(image, boxes, held, time, last);
    const left = pair(tracks.filter((track) => track.time === last), people, fit, FITS, time);
    const strangers = pair(tracks.filter((track) => track.id && track.time !== time), left, back, BACK, time);
    for (const seen of strangers) {
      const track = { id: 0, seen, base: seen, box: seen.box, born: time, time, hits: 0, best: 0, velocity: [0, 0], filter: createFilter() };
      update(track, seen, time, true);
      tracks.push(track);
    }
  }

  /** Who is new and was not seen goes; who was seen enough has a number. */
  function settle(image, time, first) {
    tracks = tracks.filter((track) => track.id || track.time === time);
    for (const track of tracks.filter(({ id }) => !id)) {
      if (first) track.id = ++ids;
      else if (isSure(track, time)) track.id = identity(image, track, time);
    }
    const here = new Set(tracks.filter((track) => track.time === time).map(({ id }) => id));
    tracks = tracks.filter((track) => track.time === time || !here.has(track.id)); // who came back has a track of their own
  }

  let last = -1;
  return async (image, time) => {
    tracks = tracks.filter((track) => track.time === last || time - track.time <= PATIENCE_S); // however slow the frames come
    const first = since === Infinity;
    since += 1;
    const late = since > 1 && time - lookedAt >= every * FRAME_S - 1e-3;
    // in an empty picture whoever comes is seen at once: nothing else costs anything then
    const due = since >= every || late || !tracks.length;
    const boxes = due ? await locate(image, most) : [];
    const kept = await follow(image, time, last, boxes);
    const located = due || (!kept && since > 1);
    if (located) {
      await lookRound(image, time, last, due ? boxes : await locate(image, most));
      [since, lookedAt] = [0, time];
    }
    settle(image, time, first);
    last = time;
    return { people: tracks.filter((track) => track.id && track.time === time).map((track) => ({ ...track.shown, id: track.id })), located };
  };
}
