// Photos over the direct limit: POST /uploads for a place to put it, form-POST it there, then ask for the result.
import { parseResult, retryAfter, send } from "./api.js";
import { Problem } from "./messages.js";

const POLL_S = 1.5;

/** The answer of POST /uploads, with its fields and the file, as a form: the file comes last, as S3 wants. */
export function uploadForm(ticket, blob) {
  const form = new FormData();
  for (const [key, value] of Object.entries(ticket.fields ?? {})) form.append(key, value);
  form.append("file", blob);
  return form;
}

async function json(url, options) {
  const answer = await send(url, { accept: "application/json", ...options });
  try {
    return { ...answer, body: JSON.parse(await answer.blob.text()) };
  } catch {
    if (answer.status === 202) return { ...answer, body: {} };
    throw new Problem("badAnswer");
  }
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Problem("cancelled"));
    }, { once: true });
  });
}

/** POST /uploads: where to put a file, and where its result will be. wish: {content_type, size}, of a clip also {seconds}. */
export async function ticketFor(config, wish, { signal } = {}) {
  const { body } = await json(`${config.base}/uploads`, {
    method: "POST", withKey: true, type: "application/json", signal, timeoutMs: config.timeoutMs, body: JSON.stringify(wish),
  });
  if (!body.url || !body.result) throw new Problem("badAnswer");
  return body;
}

export const put = ({ timeoutMs }, ticket, blob, { signal, onProgress, onSent }) =>
  send(ticket.url, { method: "POST", body: uploadForm(ticket, blob), signal, onProgress, onSent, timeoutMs });

const LOST = ["unreachable", "offline", "timeout"];

/**
 * Asks until the result is there: {json, png} of a photo, {jsonl} of a clip, links. onPending(what the API says meanwhile);
 * giveUpS, after which waiting ends as a timeout; patient: whether it goes on where the connection is lost.
 */
export async function untilDone(config, ticket, { signal, giveUpS, onPending = () => {}, patient = false }) {
  const { timeoutMs } = config;
  const until = Date.now() + giveUpS * 1000;
  while (Date.now() < until) {
    const got = await json(config.base + ticket.result, { signal, timeoutMs }).catch((problem) => {
      if (patient && LOST.includes(problem.kind)) return null;
      throw problem;
    });
    if (got && got.status !== 202) return got.body;
    if (got) onPending(got.body);
    await sleep(retryAfter(got?.headers("Retry-After")) ?? POLL_S, signal);
  }
  throw new Problem("timeout");
}

/** A link of a result -> its text. */
export async function textAt(config, link, { signal }) {
  const { blob } = await send(new URL(link, config.base || location.href).href, { signal, timeoutMs: config.timeoutMs });
  return blob.text();
}

/**
 * Sends a large photo, which is then stored for a while. Resolves with {result, png}: the JSON result, and the address of the drawn PNG.
 * options: signal, onProgress, onSent, and giveUpS, after which waiting ends as a timeout.
 */
export async function sendLarge(config, photo, { giveUpS = 120, ...options } = {}) {
  const ticket = await ticketFor(config, { content_type: photo.type, size: photo.blob.size }, options);
  await put(config, ticket, photo.blob, options);
  const done = await untilDone(config, ticket, { giveUpS, signal: options.signal });
  return { result: parseResult(await textAt(config, done.json, options)), png: done.png };
}
