// The page: photos come in, are asked about in order, and the one that is looked at is shown.
import { curlCommand, giveKey, readConfig } from "./api.js";
import { asked, worker } from "./ask.js";
import { compare } from "./compare.js";
import { cropper } from "./crop.js";
import { sizeOf } from "./geometry.js";
import { listen } from "./intake.js";
import { createKeep } from "./keep.js";
import { wireMenu } from "./menu.js";
import { Problem, explain, privacy, privateNote } from "./messages.js";
import { createMode } from "./mode.js";
import { openPhoto } from "./photo.js";
import { FAILED, SAMPLES, sampleUrl, storedResult } from "./samples.js";
import { createShots, showsNobody } from "./shots.js";
import { $, announce, keepFocus, setView, showCard, showPhoto, showProblem, showWait } from "./stage.js";
import { strip } from "./strip.js";
import { askedThreshold, forget, setZoom, showResult, shownNow, wireViewer } from "./viewer.js";
import { zoomable } from "./zoom.js";

const config = readConfig(window.HPE_CONFIG);
const base = config.base || location.origin;
const mode = createMode(config, showMode);
const shots = createShots({ work: worker(config, mode, changed), onChange: changed });
const keep = createKeep();
const updateStrip = strip({ own: $("own"), samples: $("samples"), progress: $("progress-own"), onShow: show, onRemove: remove });
let current = null;
let begun = false; // until then nothing takes the focus: it is where the page begins
let zoom;
let crop;
let line;

/** A shot is not what it was: the strip says so, and the stage if it is on it. */
function changed(shot) {
  if (shot === current && !shots.list.includes(shot)) return show(shots.list.filter((s) => !s.sample).at(-1) ?? shots.list[0]);
  updateStrip(shots.list, current);
  const own = shots.list.some((one) => !one.sample);
  $("main").dataset.own = String(own);
  $("choose").textContent = own ? "New photo" : "Choose a photo";
  if (shot.state === "done" && !shot.sample && !shot.kept) {
    shot.kept = true;
    keep.put(shot);
  }
  if (shot === current) render();
}

function remove(shot) {
  keep.remove(shot);
  shots.remove(shot);
}

/** Brings back what was on the page before a reload. */
async function restore() {
  const back = shots.restore(await keep.photos());
  if (!back.length) return;
  for (const shot of back) {
    const photo = await openPhoto(shot.file).catch(() => null); // a format that only the service reads: asked again when shown
    if (photo) Object.assign(shot, { photo: { ...photo, here: true }, url: URL.createObjectURL(shot.file), thumb: photo.thumb });
    else shots.again(shot);
    changed(shot);
  }
  if (!current.sample) return;
  setCompare(false);
  show(back.at(-1));
}

async function show(shot) {
  closeCrop();
  if (shot !== current) zoom.reset();
  current = shot;
  if (shot.state === "cold") {
    try {
      shot.result = await storedResult(shot.name);
      shot.state = "done";
    } catch (problem) {
      Object.assign(shot, { state: "problem", problem });
    }
  }
  changed(shot);
}

function render() {
  const shot = current;
  const { state, result, problem } = shot;
  $("credit").textContent = shot.credit ?? "";
  if (shot.url) showPhoto(shot);
  const seen = Boolean(shot.url);
  if (state !== "done") forget();
  if (state === "waiting" || state === "busy") {
    const before = shots.ahead(shot);
    showWait(before ? { text: `Waiting for ${before === 1 ? "one photo" : `${before} photos`} before this one…` } : shot.wait ?? { text: "Opening the photo…" });
    setView("busy", seen);
    keepFocus($("cancel"));
  } else if (state === "problem") {
    showProblem(problem, seen, Boolean(result), mode.available() && !mode.on());
    keepFocus($("problem-title"));
  } else if (!showsNobody(shot)) {
    setView("done", seen);
    showResult(shot);
    $("whole").hidden = !shot.answered.box;
    $("guessed").hidden = !shot.answered.guess;
    if (begun) keepFocus($("summary"));
  } else {
    showNobody(shot);
    if (begun) keepFocus($("problem-title"));
  }
}

function showNobody({ answered: { box, guess } }) {
  forget();
  const text = guess ? "The network has no guess for this photo either."
    : box ? "Draw the box again, round the whole person with a little room."
      : "If someone is there, draw a box round them: then only the box is processed.";
  showCard({ title: box && !guess ? "Nobody found in the box" : "Nobody found", text }, ["draw", !guess && "guess", box && "back"]);
  $("back").textContent = box ? "Back to the whole photo" : "Back to the result";
  setView("nobody", true);
  announce("Nobody found");
}

function add(files) {
  setCompare(false);
  const [first] = shots.add(files);
  show(first);
}

function openCrop() {
  const { width, height } = sizeOf(current.result);
  const [person] = current.result.people;
  setView("crop", true);
  forget();
  zoom.enable(false);
  $("crop-bar").hidden = false;
  $("picture").scrollIntoView({ block: "nearest" });
  crop.open(person && current.result.people.length === 1 ? person.box.map((v, i) => v / (i % 2 ? height : width)) : null);
  announce("Draw a box round one person");
}

function closeCrop() {
  if ($("crop-bar").hidden) return;
  crop.close();
  zoom.enable(true);
  $("crop-bar").hidden = true;
}

function askBox() {
  const box = crop.box(sizeOf(current.result));
  closeCrop();
  current.kept = false;
  shots.again(current, { box });
}

function askGuess() {
  const { width, height } = sizeOf(current.result);
  const box = current.answered.box ?? [0, 0, width, height];
  shots.again(current, { box, guess: true });
}

/** The result of before, or that of the whole photo, without asking again. */
function back(result = {}) {
  Object.assign(current, result, { state: "done", problem: null });
  current.ask = current.answered;
  changed(current);
}

/** Runs one of exports.js on what is shown, and tells beside the buttons how it went. */
async function take(button, job, ...rest) {
  const note = $("take-note");
  button.disabled = true;
  note.textContent = "One moment…";
  try {
    const jobs = await import("./exports.js").catch(() => {
      throw new Problem(navigator.onLine ? "unreachable" : "offline");
    });
    note.textContent = await jobs[job](shownNow(), ...rest);
  } catch (problem) {
    const { title, text } = explain(problem);
    note.textContent = `${title}. ${text}`;
  }
  button.disabled = false;
  keepFocus(button);
}

async function copyCurl() {
  try {
    await navigator.clipboard.writeText($("curl").textContent);
    $("take-note").textContent = "The curl command is copied.";
  } catch {
    $("curl-box").open = true;
    $("take-note").textContent = "The browser did not allow copying: the command is shown below.";
  }
}

function showCurl(shot) {
  const from = shot.sample ? new URL(sampleUrl(shot.name), location.href).href : "";
  $("curl").textContent = curlCommand({ ...config, base }, shot.name, "png", asked({}, shot.answered, askedThreshold()), from);
}

/** The key goes with every request from now on; photos that were refused for want of it are asked about again. */
function useKey(event) {
  event.preventDefault();
  giveKey($("key").value);
  $("key").value = "";
  for (const shot of shots.list) if ([401, 403].includes(shot.problem?.status)) shots.again(shot);
}

async function camera() {
  if (!navigator.mediaDevices?.getUserMedia) return $("shot").click(); // plain http: the phone's own camera app
  const { openCamera } = await import("./camera.js");
  openCamera((file) => add([file]));
}

/** The switch, and what becomes of photos, as it stands. */
function showMode() {
  const [on, there] = [mode.on(), mode.available()];
  $("private").checked = on;
  $("private").disabled = !there;
  $("private-note").textContent = there ? privateNote(on, mode.megabytes()) : `Not here: ${mode.why()}.`;
  $("privacy").textContent = privacy(config, on);
  if (current?.state === "done" && $("main").dataset.view === "setup") render();
}

function setCompare(on) {
  $("show-compare").checked = on;
  line.set(on);
}

/** Again, for every photo that the same fault stopped. */
function againAll() {
  const { kind, status } = current.problem;
  for (const shot of shots.list) if (shot.problem?.kind === kind && shot.problem.status === status) shots.again(shot);
}

function setPrivate(on) {
  mode.set(on);
  // what the other way failed on may work this way
  for (const shot of shots.list) if (shot.state === "problem") shots.again(shot);
}

function wire() {
  const openers = ["choose", "other"].map((id) => [$(id), $("file")]);
  listen({ inputs: [$("file"), $("shot")], openers, veil: $("veil"), onFiles: add });
  wireViewer(showCurl);
  zoom = zoomable({
    frame: $("picture"), stage: $("stage"), layers: [$("photo"), $("overlay")], onChange: setZoom,
    buttons: { more: $("zoom-more"), less: $("zoom-less"), fit: $("zoom-fit") },
  });
  crop = cropper({ layer: $("crop"), frame: $("crop-frame"), corners: [$("crop-first"), $("crop-last")] });
  line = compare({ range: $("compare"), divider: $("divider"), picture: $("picture"), layer: $("drawn") });
  $("show-compare").addEventListener("change", ({ target }) => setCompare(target.checked));
  const clicks = {
    cancel: () => shots.cancel(current), again: againAll, back: () => back(current.state === "done" ? current.whole : {}),
    draw: openCrop, fix: openCrop, "crop-ask": askBox, "crop-stop": () => (closeCrop(), render()), guess: askGuess,
    whole: () => back(current.whole), camera, "copy-curl": copyCurl, here: () => setPrivate(true),
    clear: () => shots.list.filter(({ sample }) => !sample).forEach(remove), "show-failed": () => show(shots.list.find(({ name }) => name === FAILED)),
  };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
  for (const button of document.querySelectorAll("[data-format]")) button.addEventListener("click", () => take($("export"), "save", button.dataset.format));
  for (const [id, job] of [["copy-image", "copy"], ["share", "share"]]) $(id).addEventListener("click", ({ target }) => take(target, job));
  wireMenu($("export"), $("export-list"));
  addEventListener("keydown", ({ key }) => key === "Escape" && !$("crop-bar").hidden && $("crop-stop").click());
  $("key-form").addEventListener("submit", useKey);
  $("copy-image").hidden = !window.ClipboardItem || !navigator.clipboard?.write;
  $("share").hidden = !navigator.canShare?.({ files: [new File([], "a.png", { type: "image/png" })] });
  for (const id of ["copy-curl", "curl-box"]) $(id).hidden = config.base === null; // there is nothing to call
  $("privacy").textContent = privacy(config, mode.on());
  $("private").addEventListener("change", ({ target }) => setPrivate(target.checked));
  $("boot").remove();
}

async function begin() {
  wire();
  setCompare(true); // the first thing to see is what this page does
  shots.addSamples(SAMPLES.map((sample) => ({ ...sample, url: sampleUrl(sample.name) })));
  await show(shots.list[0]);
  begun = true;
  await restore();
  await mode.ready;
  if (config.base === null && !mode.on()) showProblem(new Problem("unconfigured", { why: mode.why() }), true);
}

begin();
