// A clip through the API: what fits is asked before anything is sent, then it goes to the bucket, a worker follows the people,
// and their tracks come back. Loaded when a clip is to go there.
import { Problem, megabytes } from "./messages.js";
import { framesOf } from "./tracks.js";
import { put, textAt, ticketFor, untilDone } from "./uploads.js";

const PATIENCE_S = 2 * 3600; // a worker's tries take an hour and a quarter, and others' clips may come first

const minutes = (s) => (s < 90 ? `${Math.round(s)} s` : `${Math.round(s / 60)} min`);

/** Browsers name no type for a container that they do not know. */
const typeOf = ({ name, type }) => (type.startsWith("video/") ? type : /\.mkv$/i.test(name) ? "video/x-matroska" : "video/mp4");

async function ticketOf(config, wish, signal) {
  const ticket = await ticketFor(config, wish, { signal });
  if (!ticket.clip) throw new Problem("badAnswer");
  return ticket;
}

/** What the API takes, in words. */
export async function whatFits(config) {
  const { clip: { max_bytes: most, max_seconds: longest, fps } } = await ticketOf(config, { content_type: "video/mp4", size: 1 });
  return `up to ${Math.round(most / 1e6)} MB, and ${minutes(longest)} at ${fps} frames a second`;
}

/** progress of the API's answer -> words and a share (null: not known). */
function progressOf({ progress }) {
  if (!progress) return ["Waiting for a worker…", null];
  const { frame, frames, people } = progress;
  const seen = people === 1 ? "1 person" : `${people} people`;
  return [`Followed ${frame}${frames ? ` of ${frames}` : ""} frames: ${seen} so far.`, frames ? frame / frames : null];
}

const KEY = "hpe-clip";
const DAY_MS = 86_400_000;

/** The clip that was sent last, where its tracks may still be: {name, bytes, size, result, at}; null if there is none. */
export function keptClip({ base, photoDays }) {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept?.base === base && Date.now() - kept.at < photoDays * DAY_MS ? kept : null;
  } catch {
    return null; // a browser that forbids storage
  }
}

/** null: it is not waited for any more. */
export function keepClip(kept) {
  try {
    if (kept) localStorage.setItem(KEY, JSON.stringify(kept));
    else localStorage.removeItem(KEY);
  } catch {
    // then a reload does not find it again
  }
}

const isGone = ({ status }) => status === 404 || status === 410;

/** What became of a clip that was sent -> frames with people, once they are there. */
export async function tracksOf(config, kept, { signal, tell }) {
  try {
    const done = await untilDone(config, kept, { signal, giveUpS: PATIENCE_S, patient: true, onPending: (body) => tell(...progressOf(body)) });
    tell("Fetching the tracks…", null);
    return framesOf(await textAt(config, done.jsonl, { signal }), kept.size);
  } catch (error) {
    if (isGone(error)) keepClip(null);
    throw error;
  }
}

/**
 * A file -> frames with people (see tracks.js). seconds: how long it is, if that is known; size: {width, height} in px of the
 * upright frame. tell(text, share): what goes on. The same file is not sent twice while its tracks are kept.
 */
export async function followedThere(config, file, { seconds, size, signal, tell }) {
  const kept = keptClip(config);
  if (kept?.name === file.name && kept.bytes === file.size) {
    const frames = await tracksOf(config, { ...kept, size }, { signal, tell }).catch((error) => (isGone(error) ? null : Promise.reject(error)));
    if (frames) return frames;
  }
  tell("Asking whether it fits…", null);
  const wish = { content_type: typeOf(file), size: file.size, ...(seconds ? { seconds: Math.round(seconds * 100) / 100 } : {}) };
  const ticket = await ticketOf(config, wish, signal);
  const { expected_s: expected } = ticket.clip;
  const then = expected ? ` It will then take about ${minutes(expected)} there.` : "";
  const sending = `Sending ${megabytes(file.size)}…${then}`;
  tell(sending, 0);
  await put(config, ticket, file, { signal, onProgress: (share) => tell(sending, share), onSent: () => tell(`Sent.${then}`, null) });
  const sent = { base: config.base, name: file.name, bytes: file.size, size, result: ticket.result, at: Date.now() };
  keepClip(sent);
  return tracksOf(config, sent, { signal, tell });
}
