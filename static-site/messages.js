// What went wrong, in calm sentences. Pure: a Problem in, {title, text, hint, retry} out.

export class Problem extends Error {
  /**
   * kind: offline, unreachable, timeout, cancelled, http, unconfigured, notImage, tooLarge, badAnswer, onlyOwn,
   * clipboard, share, private, notHere, noise, noImage, noFormat.
   * The rest as it applies: status, title, detail, hint, retryAfter (s), name, size, limit.
   */
  constructor(kind, facts = {}) {
    super(facts.detail ?? kind);
    Object.assign(this, facts, { kind });
  }
}

export const megabytes = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

const KINDS = {
  offline: () => ({
    title: "You are offline",
    text: "Nothing is lost. Connect to the internet and try again.",
    retry: true,
  }),
  unreachable: () => ({
    title: "The service did not answer",
    text: "It may be down for a moment, or a blocker or firewall is in between.",
    retry: true,
  }),
  timeout: () => ({
    title: "This took too long",
    text: "No answer came in time. It often works the second time, once the service has started.",
    retry: true,
  }),
  badAnswer: () => ({
    title: "That was not the expected answer",
    text: "Something answered at the API’s address, but not the pose API. Check the address in config.js.",
    retry: true,
  }),
  notImage: ({ name }) => ({
    title: "That is not a picture",
    text: `${name ? `“${name}”` : "What you gave"} can’t be read as an image. JPEG, PNG, WebP, AVIF, HEIC and GIF work.`,
  }),
  tooLarge: ({ size, limit }) => ({
    title: "This photo is too large to send",
    text: `It has ${megabytes(size)}; the limit is ${megabytes(limit)}, and this browser can’t shrink its format.`,
    hint: "Save it as JPEG and choose that.",
  }),
  unconfigured: ({ why }) => ({
    title: "No API is set up yet",
    text: "This page does not know the address of its API, so it can only show the samples.",
    hint: why ? `Private mode, which needs no API, is not there either: ${why}.` : "",
  }),
  private: ({ detail }) => ({
    title: "Private mode could not start",
    text: `On this device something is missing: ${detail}.`,
    hint: "Check your connection and try again, or switch private mode off.",
    retry: true,
  }),
  notHere: ({ name }) => ({
    title: "This browser can’t open that photo",
    text: `“${name}” is in a format that this browser does not read, so it can’t be processed on this device.`,
    hint: "Save it as JPEG, or switch private mode off: the service reads HEIC and TIFF.",
  }),
  noise: () => ({
    title: "This browser hides what photos hold",
    text: "Its guard against fingerprinting hands out noise instead of the photo’s pixels, so private mode can’t see it.",
    hint: "Allow this page to read canvas data, or switch private mode off.",
  }),
  onlyOwn: () => ({
    title: "Not for a photo of this size",
    text: "Uploads are processed whole. Choose a smaller copy of the photo for this.",
  }),
  noImage: () => ({ title: "The photo can’t be drawn", text: "This browser does not show it. Save the numbers instead." }),
  noFormat: ({ name }) => ({ title: `This browser can’t write ${name}`, text: "Choose PNG instead." }),
  clipboard: () => ({ title: "This browser does not allow copying", text: "Download the picture instead." }),
  share: () => ({ title: "This device could not share it", text: "Download the picture instead." }),
};

const STATUSES = {
  400: "The request could not be understood",
  401: "This service needs a key",
  403: "This key is not accepted",
  404: "There is nothing at this address",
  413: "This photo is too large",
  415: "This kind of file can’t be read",
  422: "This photo can’t be read",
  429: "There are too many requests right now",
  503: "The service is not ready yet",
};

const ADVICE = {
  401: "Whoever runs this service can give you one.",
  403: "Ask whoever runs this service for another.",
  413: "Choose a smaller photo.",
  415: "Choose a JPEG, PNG, WebP, AVIF or HEIC photo.",
  422: "The file may be cut short or damaged. Choose another, or save it again.",
  429: "Wait a few seconds and try again.",
  503: "Wait a few seconds and try again.",
};

/** "send a JPEG" -> "Send a JPEG."; names such as "threshold=7" stay as they are. */
const sentence = (text) =>
  text && text.replace(/^[a-z](?=[a-z]*[ ,])/, (c) => c.toUpperCase()) + (/[.!?…]$/.test(text) ? "" : ".");

/** {title, text, hint, retry} of a Problem; of any other error too, since a person is waiting. */
export function explain(problem) {
  const kind = KINDS[problem?.kind];
  if (kind) return { hint: "", retry: false, ...kind(problem) };
  const status = problem?.kind === "http" ? problem.status : 0;
  const title = STATUSES[status] ??
    (status >= 500 ? "The service had a problem" : status ? "That did not work" : "Something went wrong on this page");
  // to a person at the page, the way out is the form below these words, not a header
  const own = status === 401 ? "" : sentence(problem?.detail || problem?.title);
  const text = status >= 500 && status !== 503
    ? "This has nothing to do with your photo. Trying again often helps."
    : (status && own) || ADVICE[status] || "Trying again may help.";
  const hint = status === 401 ? "" : sentence(problem?.hint) ?? (text === ADVICE[status] ? "" : ADVICE[status] ?? "");
  return { title, text, hint: hint === text ? "" : hint, retry: status === 0 || status === 429 || status >= 500 };
}

/** The same as one text, where a photo is not what it is about: the API's own words say what was wrong and what to do. */
export function told(problem) {
  const own = problem?.kind === "http" && problem.status < 500 && sentence(problem.detail);
  const { title, text, hint } = explain(problem);
  return own || [`${title}.`, text, hint].filter(Boolean).join(" ");
}

/** What the wait is for. ms: since the upload ended. */
export function waitingText(ms) {
  if (ms < 3000) return "Looking for people…";
  if (ms < 15000) return "The service is starting, which takes a few seconds…";
  return "Still starting. The first photo after a pause takes longest…";
}

/** The files of private mode on their way: words and a share, null once all are there. */
export const fetching = (share, size) =>
  share < 1 ? [`Fetching private mode, ${Math.round(size)} MB, once…`, share] : ["Starting private mode…", null];

const MOST_PEOPLE = 20; // that are looked for in a photo

const count = (people) => `${people.length} ${people.length === 1 ? "person" : "people"}`;

/** {found: "1 person found", sure: "14 of 16 joints sure"}; guess: nobody was found, this was asked for. */
export function summary(people, threshold, guess = false) {
  if (!people.length) return { found: "Nobody found", sure: "" };
  const all = people.flatMap((p) => p.keypoints);
  const known = all.filter((k) => k.score >= threshold && k.score > 0).length;
  const found = guess ? "Best guess of a person" : people.length >= MOST_PEOPLE ? `The first ${people.length} people found` : `${count(people)} found`;
  return { found, sure: `${known} of ${all.length} joints sure` };
}

/** The same on one line. */
export function summaryLine(people, threshold, guess) {
  const { found, sure } = summary(people, threshold, guess);
  return sure ? `${found} · ${sure}` : found;
}

/** Beside the switch: what it does, and what it costs. */
export const privateNote = (on, size) =>
  `${on ? "Photos stay on this device" : "Keeps photos on this device"}: ${Math.round(size)} MB, once.`;

/** What happens to photos, as this deployment is set up. */
export function privacy({ uploads, photoDays, maxBytes }, here = false) {
  const kept = "Your browser keeps those of this tab until you clear them or close it.";
  if (here) return `Private mode: photos never leave this device. ${kept}`;
  const always = "Photos are processed in memory and not stored.";
  if (!uploads) return `${always} ${kept}`;
  const days = photoDays + 1; // S3 deletes at the first midnight UTC after so many days
  return `${always} Only a photo over ${megabytes(maxBytes)} that your browser can’t make smaller is kept, with its result, in this ` +
    `service’s own storage, and deleted at the first midnight UTC after ${photoDays === 1 ? "one day" : `${photoDays} days`}: ` +
    `${days} days at most. ${kept}`;
}
