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

/**
 * A file -> frames with people (see tracks.js). seconds: how long it is, if that is known; size: {width, height} in px of the
 * upright frame. tell(text, share): what goes on.
 */
export async function followedThere(config, file, { seconds, size, signal, tell }) {
  tell("Asking whether it fits…", null);
  const wish = { content_type: typeOf(file), size: file.size, ...(seconds ? { seconds: Math.round(seconds * 100) / 100 } : {}) };
  const ticket = await ticketOf(config, wish, signal);
  const { expected_s: expected } = ticket.clip;
  const then = expected ? ` It will then take about ${minutes(expected)} there.` : "";
  const sending = `Sending ${megabytes(file.size)}…${then}`;
  tell(sending, 0);
  await put(config, ticket, file, { signal, onProgress: (share) => tell(sending, share), onSent: () => tell(`Sent.${then}`, null) });
  const done = await untilDone(config, ticket, { signal, giveUpS: PATIENCE_S, patient: true, onPending: (body) => tell(...progressOf(body)) });
  tell("Fetching the tracks…", null);
  return framesOf(await textAt(config, done.jsonl, { signal }), size);
}
