// The camera, continuously, on this device: people found, followed and counted while they move. Nothing is sent.
import { anglesOf } from "./angles.js";
import { readConfig } from "./api.js";
import { cameraFault, openStream } from "./camera.js";
import { explain, fetching } from "./messages.js";
import { createMode } from "./mode.js";
import { paintFrame } from "./paint.js";
import { make } from "./panel.js";
import { analysedBitmap } from "./private/engine.js";
import { createMotion } from "./private/motion.js";
import { label } from "./skeleton.js";
import { $, announce } from "./stage.js";

const SIDE = 512; // px: what is analysed of a frame; people who fill a camera's picture need no more
const FLOW_SIDE = 320; // px: what carries people from one frame to the next
const EVERY = 10; // frames of those that the networks see, between looks for everybody
const mode = createMode(readConfig(window.HPE_CONFIG), () => {});
const state = { stream: null, running: false, frame: null, shown: null, facing: "user", starts: 0, people: -1, fresh: true };
const motion = createMotion();
const small = document.createElement("canvas");

const say = (text) => ($("live-note").textContent = text);

function ready(on) {
  $("start").hidden = on;
  for (const id of ["pause", "snapshot", "live-frame", "live-tools", "angles"]) $(id).hidden = !on;
  $("live-empty").hidden = on;
  if (!on) for (const id of ["live-count", "live-fps"]) $(id).textContent = "";
}

/** What the camera shows now, small: {data: RGBA, width, height}. */
function glimpse(video) {
  const scale = Math.min(1, FLOW_SIDE / Math.max(video.videoWidth, video.videoHeight));
  const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.round(side * scale));
  if (small.width !== width || small.height !== height) Object.assign(small, { width, height });
  const context = small.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

const nextFrame = (video) => new Promise((seen) => (video.requestVideoFrameCallback ? video.requestVideoFrameCallback(seen) : requestAnimationFrame(seen)));

/** Frames a second from the times between them, smoothed. */
function rateOf() {
  let [apart, before] = [0, 0];
  return () => {
    const now = performance.now();
    if (before) apart = apart ? 0.95 * apart + 0.05 * (now - before) : now - before;
    before = now;
    return apart ? 1000 / apart : 0;
  };
}

/** Who is in the camera's frame now, by the networks: late by a few frames, which `motion` makes up for. */
async function ask(engine, video, size, rate) {
  const time = performance.now() / 1000;
  const mark = motion.mark();
  const bitmap = await analysedBitmap(video, size.width, size.height, SIDE, "medium");
  const frame = await engine.track(bitmap, { photo: size, time, fresh: state.fresh, options: { every: EVERY } });
  state.fresh = false;
  return () => {
    motion.correct(frame, mark, time);
    state.frame = frame;
    $("live-fps").dataset.networks = rate().toFixed(1);
    if ($("angles").open) showAngles(frame.people);
  };
}

/** Every frame of the camera: its people carried on and painted, while the networks work on one of the last. */
async function watch(engine) {
  const video = $("live-video");
  const own = state.starts;
  const [drawn, asked] = [rateOf(), rateOf()];
  let [pending, failed] = [false, null];
  motion.forget();
  for (;;) {
    await nextFrame(video);
    if (!state.running || own !== state.starts) return;
    if (failed) throw failed;
    const size = { width: video.videoWidth, height: video.videoHeight };
    motion.see(glimpse(video), size.width);
    if (!pending) {
      pending = true;
      ask(engine, video, size, asked).then((settle) => state.running && own === state.starts && settle(), (error) => (failed = error))
        .finally(() => (pending = false));
    }
    if (state.frame) show({ ...state.frame, people: motion.people() }, drawn());
  }
}

function show(frame, rate) {
  const canvas = $("live-canvas");
  const { width, height, people } = frame;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  if ($("live-skeleton").checked) {
    const mirrored = $("live-frame").classList.contains("mirrored");
    paintFrame(context, frame, { byPerson: $("live-colours").checked, numbers: people.length > 1, mirrored });
  }
  state.shown = frame;
  $("live-count").textContent = people.length === 1 ? "1 person" : `${people.length} people`;
  $("live-fps").textContent = `${rate.toFixed(rate < 10 ? 1 : 0)} frames a second`;
  if (people.length !== state.people) announce($("live-count").textContent); // changes only: not every frame
  state.people = people.length;
}

function showAngles(people) {
  $("angles-list").replaceChildren(...people.map((person) => make("section", {},
    make("h3", {}, `Person ${person.id}`),
    make("dl", {}, ...anglesOf(person, state.frame.threshold).flatMap(({ name, degrees }) =>
      [make("dt", {}, label(name)), make("dd", {}, `${Math.round(degrees)}°`)])))));
}

function stop() {
  state.starts += 1;
  state.running = false;
  for (const track of state.stream?.getTracks() ?? []) track.stop();
  state.stream = null;
  $("live-video").srcObject = null;
}

async function start() {
  stop();
  const own = state.starts;
  $("start").disabled = true;
  try {
    say("Starting private mode…");
    const engine = await mode.engine((share) => {
      const [text, part] = fetching(share, mode.megabytes());
      $("live-progress").hidden = part === null;
      $("live-progress").value = share;
      say(text);
    });
    $("live-progress").hidden = true;
    say("Waiting for the camera. Your browser may ask for permission…");
    const stream = await openStream(state.facing, { width: 1280, height: 720 });
    if (own !== state.starts) return stream.getTracks().forEach((track) => track.stop());
    await play(stream);
    ready(true);
    say("");
    setRunning(true, engine);
  } catch (error) {
    if (own === state.starts) say(error.kind ? Object.values(explain(error)).filter((part) => typeof part === "string").join(" ") : cameraFault(error));
  }
  $("start").disabled = false;
}

async function play(stream) {
  Object.assign(state, { stream, fresh: true, frame: null, shown: null });
  const video = $("live-video");
  video.srcObject = stream;
  await video.play();
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", () => {
    stop();
    ready(false);
    say("The camera was switched off.");
  });
  $("live-frame").classList.toggle("mirrored", track.getSettings().facingMode !== "environment"); // the front camera is a mirror
  $("live-frame").style.setProperty("--ratio", video.videoWidth / video.videoHeight);
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
  $("turn").hidden = cameras.length < 2;
}

let engineNow = null;

function setRunning(on, engine = engineNow) {
  engineNow = engine;
  state.running = on;
  $("pause").textContent = on ? "Pause" : "Go on";
  if (on) {
    $("live-video").play();
    watch(engine).catch((error) => {
      setRunning(false);
      say(error.kind ? explain(error).text : "Something went wrong on this page. Press Go on to try again.");
    });
  } else $("live-video").pause();
}

async function snapshot() {
  const { saveBlob } = await import("./exports.js");
  const video = $("live-video");
  const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  paintFrame(context, state.shown, { byPerson: $("live-colours").checked, numbers: state.shown?.people.length > 1, mirrored: false });
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const name = `live-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.png`;
  saveBlob(blob, name);
  say(`Saved as ${name}.`);
}

async function begin() {
  $("start").addEventListener("click", start);
  $("pause").addEventListener("click", () => setRunning(!state.running));
  $("snapshot").addEventListener("click", snapshot);
  $("turn").addEventListener("click", () => {
    state.facing = state.facing === "user" ? "environment" : "user";
    start();
  });
  // a camera must not stay on behind a page that nobody sees
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden || !state.stream) return;
    stop();
    ready(false);
    say("The camera is off while this page is hidden.");
  });
  await mode.ready;
  $("boot").remove();
  if (mode.available()) {
    $("start").disabled = false;
    say(`${Math.round(mode.megabytes())} MB are fetched once, then it works offline.`);
  } else say(`Not here: ${mode.why()}. The camera is only watched on your own device.`);
}

begin();
