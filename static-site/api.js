// The pose API as a browser calls it. XMLHttpRequest, not fetch: only it tells how much of an upload has gone out.
import { sizeOf } from "./geometry.js";
import { Problem } from "./messages.js";

export const DIRECT_LIMIT = 4_500_000; // bytes; Lambda takes 6 MB, and base64 makes 4 bytes of 3

/** HPE_CONFIG -> {base, auth, uploads, photoDays, maxBytes, timeoutMs}; base is null where no API is set up. */
export function readConfig(config) {
  const url = config?.apiUrl;
  return {
    base: typeof url === "string" ? url.trim().replace(/\/+$/, "") : null,
    auth: ["key", "jwt"].includes(config?.auth) ? config.auth : "none",
    uploads: config?.uploads === true,
    photoDays: config?.photoDays > 0 ? config.photoDays : 1,
    maxBytes: config?.maxBytes > 0 ? config.maxBytes : DIRECT_LIMIT,
    timeoutMs: config?.timeoutMs > 0 ? config.timeoutMs : 40_000,
  };
}

/**
 * "/pose?format=json&threshold=0.3". ask: threshold (null leaves it to the model) and box [x0, y0, x1, y1] in px of
 * the photo that is sent (null: wherever people are).
 */
export function posePath(format, { threshold = null, box = null } = {}) {
  const query = [`format=${format}`];
  if (threshold !== null) query.push(`threshold=${Math.round(threshold * 1e4) / 1e4}`);
  if (box) query.push(`box=${box.map((v) => Math.round(v * 10) / 10)}`);
  return `/pose?${query.join("&")}`;
}

const KEY = "hpe-key";

/** The key that the user gave for this API, kept as long as the tab is open; "" where there is none. */
export function givenKey() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // a browser that forbids storage
  }
}

export function giveKey(text) {
  try {
    sessionStorage.setItem(KEY, text.trim());
  } catch {
    // then it is asked for again
  }
}

/** A Retry-After header in seconds, null where there is none. */
export const retryAfter = (text) => (/^\d+$/.test(text ?? "") ? Number(text) : null);

/** An error answer as a Problem: RFC 9457 members where they are there, else the status alone. */
export function problemFrom(status, text, retry = null) {
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // a gateway's HTML page: the status says enough
  }
  const said = (key) => (typeof body[key] === "string" ? body[key] : undefined);
  return new Problem("http", {
    status, title: said("title"), detail: said("detail"), hint: said("hint"), retryAfter: retryAfter(retry),
  });
}

/**
 * One request. Resolves with {status, headers: (name) => text, blob}; rejects with a Problem.
 * withKey: send the user's key, if there is one; never to another host than the API's.
 * timeoutMs counts from the last sign of life, so that a slow upload may take its time.
 */
export function send(url, { method = "GET", body = null, type = "", accept = "*/*", signal, withKey = false,
  timeoutMs = 40_000, onProgress = () => {}, onSent = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let timer;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => fail(new Problem("timeout")), timeoutMs);
    };
    const stop = () => fail(new Problem("cancelled"));
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    };
    const fail = (problem) => {
      end();
      reject(problem);
      xhr.abort();
    };
    if (signal?.aborted) return reject(new Problem("cancelled"));
    signal?.addEventListener("abort", stop);
    xhr.open(method, url);
    xhr.responseType = "blob";
    xhr.setRequestHeader("Accept", accept);
    if (type) xhr.setRequestHeader("Content-Type", type);
    if (withKey && givenKey()) xhr.setRequestHeader("Authorization", `Bearer ${givenKey()}`);
    if (body) {
      xhr.upload.onprogress = (event) => {
        alive();
        onProgress(event.lengthComputable ? event.loaded / event.total : 0);
      };
      xhr.upload.onload = () => onSent();
    }
    xhr.onprogress = alive;
    xhr.onerror = () => fail(new Problem(navigator.onLine ? "unreachable" : "offline"));
    xhr.onload = async () => {
      end();
      const headers = (name) => xhr.getResponseHeader(name);
      if (xhr.status < 400) return resolve({ status: xhr.status, headers, blob: xhr.response });
      reject(problemFrom(xhr.status, await xhr.response.text(), headers("Retry-After")));
    };
    alive();
    xhr.send(body);
  });
}

/** Waits `seconds`, telling each one; a cancel ends it at once. */
function pause(seconds, signal, onWait) {
  return new Promise((resolve, reject) => {
    let left = seconds;
    const done = (settle, value) => {
      clearInterval(timer);
      signal?.removeEventListener("abort", stop);
      settle(value);
    };
    const stop = () => done(reject, new Problem("cancelled"));
    const timer = setInterval(() => (--left > 0 ? onWait(left) : done(resolve)), 1000);
    signal?.addEventListener("abort", stop);
    onWait(left);
  });
}

const PATIENCE_S = 15;

/** Runs `attempt`; where the service is busy (429) or not ready (503), waits as it asks, if not for long. */
export async function withRetries(attempt, { signal, onWait = () => {}, tries = 3, wait = pause } = {}) {
  for (let n = 1; ; n++) {
    try {
      return await attempt();
    } catch (problem) {
      const again = problem.kind === "http" && (problem.status === 429 || problem.status === 503);
      const seconds = Math.max(1, problem.retryAfter ?? 2 ** n);
      if (!again || n >= tries || seconds > PATIENCE_S) throw problem;
      await wait(seconds, signal, (left) => onWait(left, problem));
    }
  }
}

/** POST /pose as JSON, checked to be what it should be. ask: as in posePath. */
export async function findPeople(config, photo, ask = {}, options = {}) {
  const answer = await send(config.base + posePath("json", ask), {
    ...options, method: "POST", withKey: true, body: photo.blob, type: photo.type, accept: "application/json",
    timeoutMs: config.timeoutMs,
  });
  return parseResult(await answer.blob.text());
}

/** JSON text -> the result; a Problem where something else answered. */
export function parseResult(text) {
  let result = null;
  try {
    result = JSON.parse(text);
  } catch {
    // not JSON: the check below says so
  }
  const { width, height } = sizeOf(result);
  const whole = Array.isArray(result?.people) && width > 0 && height > 0 && Number.isFinite(result.threshold) &&
    Array.isArray(result.skeleton) && result.people.every((p) => Array.isArray(p?.keypoints));
  if (!whole) throw new Problem("badAnswer");
  return result;
}

/** POST /pose as a picture: a Blob in `format`. */
export async function drawnPhoto(config, photo, format, ask = {}, options = {}) {
  const { blob } = await send(config.base + posePath(format, ask), {
    ...options, method: "POST", withKey: true, body: photo.blob, type: photo.type, accept: `image/${format}`,
    timeoutMs: config.timeoutMs,
  });
  if (!blob.type.startsWith("image/")) throw new Problem("badAnswer");
  return blob;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A curl command that asks for the same, safe to paste into a shell whatever the file is called. What an error says
 * lands in the output file, so it is shown from there. from: where the photo itself can be fetched (a sample).
 */
export function curlCommand({ base, auth }, name, format, ask = {}, from = "") {
  const file = name.replace(/[\\"]/g, "\\$&"); // curl's own quoting inside -F
  const out = quoted(`${name.replace(/\.[^.]*$/, "") || "photo"}-pose.${format}`);
  return `${from ? `curl -sSfO ${quoted(from)} && ` : ""}curl --fail-with-body${auth === "none" ? "" : ' -H "Authorization: Bearer $HPE_KEY"'} -F ${quoted(`image=@"${file}"`)} ` +
    `${quoted(base + posePath(format, ask))} -o ${out} || cat ${out}`;
}
