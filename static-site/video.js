// A clip, on this device: its frames are processed one after the other, then it plays with skeletons over it, nothing
// encoded again. Tracks and the drawn clip can be saved.
import { readConfig } from "./api.js";
import { listen } from "./intake.js";
import { explain } from "./messages.js";
import { createMode } from "./mode.js";
import { paintFrame } from "./paint.js";
import { analysedBitmap } from "./private/engine.js";
import { personColour, rgb } from "./skeleton.js";
import { $, announce } from "./stage.js";
import { frameAt, spans, tracksCsv, tracksJsonl } from "./tracks.js";

const SIDE = 640; // px: what is analysed of a frame
const RATE = 15; // frames a second that are processed: between them people move little
const MOST_S = 10 * 60;
const mode = createMode(readConfig(window.HPE_CONFIG), () => {});
const state = { run: 0, frames: [], name: "", url: "", busy: false };
const clip = $("clip");

const say = (text) => ($("video-note").textContent = text);
const seconds = (s) => (s < 90 ? `${s.toFixed(0)} s` : `${(s / 60).toFixed(1)} min`);

const heard = (event) => new Promise((resolve, reject) => {
  clip.addEventListener(event, resolve, { once: true });
  clip.addEventListener("error", () => reject(Object.assign(new Error(), { kind: "notVideo" })), { once: true });
});

async function seekTo(time) {
  if (Math.abs(clip.currentTime - time) < 1e-4 && clip.readyState >= 2) return;
  const there = heard("seeked");
  clip.currentTime = time;
  await there;
}

function paint() {
  const canvas = $("clip-canvas");
  const [width, height] = [clip.videoWidth, clip.videoHeight];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  paintFrame(context, frameAt(state.frames, clip.currentTime), { byPerson: $("video-colours").checked, numbers: true });
  $("video-time").textContent = `${clip.currentTime.toFixed(1)} s`;
  if (document.activeElement !== $("seek")) $("seek").value = clip.currentTime;
}

/** A row for each person: when they are in the clip. */
function drawTimeline() {
  const length = clip.duration;
  $("timeline").replaceChildren(...spans(state.frames, 1.5 / RATE).map(({ id, parts }) => {
    const line = document.createElement("li");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    Object.entries({ viewBox: `0 0 ${length} 1`, preserveAspectRatio: "none", "aria-hidden": "true" }).forEach(([k, v]) => svg.setAttribute(k, v));
    for (const [from, to] of parts) {
      const bar = document.createElementNS(svg.namespaceURI, "rect");
      Object.entries({ x: from, y: 0, width: Math.max(to - from, length / 400), height: 1, fill: rgb(personColour(id)) }).forEach(([k, v]) => bar.setAttribute(k, v));
      svg.append(bar);
    }
    const said = document.createElement("span");
    said.textContent = `Person ${id}`;
    const when = Object.assign(document.createElement("span"), { className: "unseen", textContent: parts.map(([a, b]) => ` ${a.toFixed(1)} to ${b.toFixed(1)} s`).join(",") });
    said.append(when);
    line.append(said, svg);
    return line;
  }));
  $("video-found").textContent = "";
  const people = new Set(state.frames.flatMap(({ people: all }) => all.map(({ id }) => id))).size;
  $("video-found").append(Object.assign(document.createElement("b"), { textContent: people === 1 ? "1 person found" : `${people} people found` }));
}

/** Every frame at RATE through the engine, told with what is left. */
async function analyse(engine, run) {
  const count = Math.max(1, Math.floor(clip.duration * RATE));
  const photo = { width: clip.videoWidth, height: clip.videoHeight };
  const since = performance.now();
  for (let i = 0; i < count; i++) {
    const time = Math.min(i / RATE, Math.max(0, clip.duration - 1e-3));
    await seekTo(time);
    const bitmap = await analysedBitmap(clip, photo.width, photo.height, SIDE);
    const frame = await engine.track(bitmap, { photo, time, fresh: i === 0, options: { every: 5 } });
    if (run !== state.run) return false;
    state.frames.push(frame);
    paint();
    $("video-progress").value = (i + 1) / count;
    const each = (performance.now() - since) / (i + 1) / 1000;
    say(`${i + 1} of ${count} frames, ${(1 / each).toFixed(1)} a second: ${seconds(each * (count - i - 1))} left.`);
  }
  return true;
}

async function open(file) {
  const run = (state.run += 1);
  Object.assign(state, { frames: [], name: file.name.replace(/\.[^.]*$/, "") || "clip" });
  URL.revokeObjectURL(state.url);
  state.url = URL.createObjectURL(file);
  $("player").hidden = true;
  $("video-empty").hidden = true;
  $("cancel").hidden = false;
  $("video-progress").hidden = false;
  $("video-found").textContent = "";
  try {
    const loaded = heard("loadeddata");
    clip.src = state.url;
    await loaded;
    if (!clip.videoWidth || !Number.isFinite(clip.duration)) throw Object.assign(new Error(), { kind: "notVideo" });
    if (clip.duration > MOST_S) throw Object.assign(new Error(), { kind: "tooLong" });
    $("video-frame").hidden = false;
    $("video-frame").style.setProperty("--ratio", clip.videoWidth / clip.videoHeight);
    say("Starting private mode…");
    const engine = await mode.engine((share) => {
      $("video-progress").value = share;
      say(`Fetching private mode, ${Math.round(mode.megabytes())} MB, once…`);
    });
    if (run !== state.run || !(await analyse(engine, run))) return;
    finish("Done. Nothing left this device.");
  } catch (error) {
    if (run === state.run) fail(error, file);
  }
}

function finish(text) {
  say(text);
  $("cancel").hidden = true;
  $("video-progress").hidden = true;
  $("player").hidden = !state.frames.length;
  if (!state.frames.length) return;
  $("seek").max = clip.duration;
  drawTimeline();
  announce($("video-found").textContent);
  clip.currentTime = 0;
}

function fail(error, { name, size }) {
  const long = `The clip is longer than ${MOST_S / 60} minutes: cut it, or use hpe video on your own machine.`;
  const unread = `“${name}” (${(size / 1e6).toFixed(1)} MB) can’t be played by this browser. Save it as MP4 (H.264) or WebM.`;
  finish({ notVideo: unread, tooLong: long }[error.kind] ?? (error.kind ? Object.values(explain(error)).filter((part) => typeof part === "string").join(" ") : "Something went wrong on this page. Try again."));
  if (!state.frames.length) $("video-empty").hidden = !$("video-frame").hidden;
}

async function save(text, ending, type) {
  const { saveBlob } = await import("./exports.js");
  saveBlob(new Blob([text], { type }), `${state.name}-${ending}`);
  say(`Saved as ${state.name}-${ending}.`);
}

/** Plays the clip once into a canvas with the skeletons, and records that. */
async function saveClip() {
  const type = ["video/webm;codecs=vp8", "video/webm", "video/mp4"].find((one) => globalThis.MediaRecorder?.isTypeSupported(one));
  if (!type) return say("This browser can’t record a clip: save the tracks instead.");
  const canvas = Object.assign(document.createElement("canvas"), { width: clip.videoWidth, height: clip.videoHeight });
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: type, videoBitsPerSecond: 8e6 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => (recorder.onstop = done));
  clip.pause();
  await seekTo(0);
  $("save-clip").disabled = true;
  const draw = () => {
    context.drawImage(clip, 0, 0);
    paintFrame(context, frameAt(state.frames, clip.currentTime), { byPerson: $("video-colours").checked, numbers: true });
    say(`Recording the drawn clip: ${clip.currentTime.toFixed(0)} of ${clip.duration.toFixed(0)} s…`);
    if (!clip.ended && recorder.state === "recording") requestAnimationFrame(draw);
  };
  recorder.start(250);
  const ended = heard("ended");
  await clip.play();
  draw();
  await ended;
  await new Promise((done) => setTimeout(done, 500)); // the encoder lags behind what was drawn
  recorder.stop();
  await stopped;
  $("save-clip").disabled = false;
  const { saveBlob } = await import("./exports.js");
  const name = `${state.name}-pose.${type.includes("mp4") ? "mp4" : "webm"}`;
  saveBlob(new Blob(parts, { type }), name);
  say(`Saved as ${name}, without sound.`);
}

function wire() {
  listen({ inputs: [$("file")], openers: [[$("choose"), $("file")]], veil: $("veil"), onFiles: ([file]) => !$("choose").disabled && open(file) });
  $("cancel").addEventListener("click", () => {
    state.run += 1;
    finish(state.frames.length ? "Stopped: what was processed so far can be watched." : "Stopped.");
  });
  $("play").addEventListener("click", () => (clip.paused ? clip.play() : clip.pause()));
  for (const event of ["play", "pause", "ended"]) clip.addEventListener(event, () => ($("play").textContent = clip.paused || clip.ended ? "Play" : "Pause"));
  const follow = () => {
    if (!$("player").hidden) paint();
    if (clip.requestVideoFrameCallback) clip.requestVideoFrameCallback(follow);
  };
  if (clip.requestVideoFrameCallback) clip.requestVideoFrameCallback(follow);
  else clip.addEventListener("timeupdate", follow);
  clip.addEventListener("seeked", () => !$("player").hidden && paint());
  $("seek").addEventListener("input", () => (clip.currentTime = Number($("seek").value)));
  $("video-colours").addEventListener("change", paint);
  $("save-jsonl").addEventListener("click", () => save(tracksJsonl(state.frames), "tracks.jsonl", "application/x-ndjson"));
  $("save-csv").addEventListener("click", () => save(tracksCsv(state.frames), "tracks.csv", "text/csv"));
  $("save-clip").addEventListener("click", saveClip);
}

async function begin() {
  wire();
  await mode.ready;
  $("boot").remove();
  $("choose").disabled = !mode.available();
  say(mode.available() ? `Clips of up to ${MOST_S / 60} minutes. The networks, ${Math.round(mode.megabytes())} MB, are fetched once.`
    : `Not here: ${mode.why()}. On your own machine, hpe video does the same.`);
}

begin();
