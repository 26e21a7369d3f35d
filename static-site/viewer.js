// The answer on the page: skeletons, lists and numbers, and what the pointer is on. Holds what is looked at.
import { RAMP, nearestJoint, personAt, savedSize, sizeOf } from "./geometry.js";
import { megabytes, summary } from "./messages.js";
import { drawOverlay } from "./overlay.js";
import { listJoints, listPeople, make, markJoints, markPeople, percent } from "./panel.js";
import { label, rgb } from "./skeleton.js";
import { $, announce } from "./stage.js";

const view = { shot: null, threshold: 0, moved: false, person: -1, pointed: -1, picked: -1, hovered: -1, zoom: 1, since: 0 };
const DRAW_IN_MS = 600; // as in the stylesheet
const SHOWN = ["skeleton", "joints", "names", "heat", "people"];
let onDraw = () => {};

const shown = () => Object.fromEntries(SHOWN.map((name) => [name, $(`show-${name}`).checked]));

/** Who or what is brought out: the pointer's choice before the one that was clicked. */
function chosenLooks() {
  const { people } = view.result;
  const joint = view.hovered >= 0 ? view.hovered : view.picked;
  const out = view.pointed >= 0 ? view.pointed : joint >= 0 ? chosen() : view.person;
  return { person: people.length > 1 ? out : -1, named: out < 0 ? chosen() : out, picked: joint };
}

/** What is shown now, for a picture of it: {shot, looks}; null where nothing is. */
export function shownNow() {
  const { shot, result, threshold } = view;
  if (!shot) return null;
  const scale = $("picture").clientWidth / sizeOf(result).width;
  return { shot, looks: { threshold, show: shown(), scale, ...chosenLooks() } };
}

/** The threshold for requests: null leaves it to the model, until the slider is moved. */
export const askedThreshold = () => (view.moved ? view.threshold : null);

export function forget() {
  Object.assign(view, { shot: null });
  $("overlay").replaceChildren();
  $("tip").hidden = true;
}

/** Shows a shot's answer; the same answer again keeps what was chosen in it. */
export function showResult(shot) {
  const { result } = shot;
  if (view.shot !== shot || view.result !== result) {
    const guess = shot.answered.guess === true;
    Object.assign(view, { shot, result, threshold: guess ? 0 : result.threshold, moved: guess, person: -1, pointed: -1, picked: -1, hovered: -1 });
    $("threshold").value = view.threshold;
    $("people").hidden = result.people.length < 2;
    listPeople($("people-list"), result.people, { onPoint: pointAt, onPick: pickPerson });
    listRows();
    $("facts").textContent = facts(shot);
    $("model").textContent = result.model?.name ? `Model: ${result.model.name}.` : "";
    $("take-note").textContent = "";
    $("png-size").textContent = sizeText(savedSize(shot.photo?.width ? shot.photo : sizeOf(result)));
    view.since = performance.now();
  }
  draw();
}

const sizeText = ({ width, height }) => `${width} × ${height} px`;

function facts({ sample, file, answered, how, seconds }) {
  if (sample && !seconds) return "This is a sample: its answer came with the page.";
  const took = `${answered.box && !answered.guess ? "in the box you drew, " : ""}in ${seconds.toFixed(1)} s.`;
  if (!how) return `Answered ${took}`; // kept by an earlier version of this page
  const { here, sent, clean, bytes } = how;
  if (here) return `Processed on this device ${took} Nothing was sent.`;
  if (sent === "smaller") {
    return `Your photo has ${megabytes(file.size)}, more than can be sent: your browser sent a smaller JPEG of ${megabytes(bytes)}. ` +
      `The numbers are px of your photo. Answered ${took}`;
  }
  return `Sent as it is${clean ? ", without place, date and camera" : ", with everything the camera wrote into it"}: ${megabytes(bytes)}. Answered ${took}`;
}

const chosen = () => Math.max(0, view.person);

function listRows() {
  const { people } = view.result;
  listJoints($("joints"), people[chosen()], { onHover: hover, onPick: pickRow });
  $("joints").caption.textContent = people.length > 1 ? `Joints of person ${chosen() + 1}` : "Joints";
}

function pickPerson(index) {
  Object.assign(view, { person: view.person === index ? -1 : index, picked: -1, hovered: -1 });
  listRows();
  draw();
}

function pointAt(index) {
  if (view.pointed === index) return;
  view.pointed = index;
  draw();
}

function hover(index) {
  if (view.hovered === index) return;
  view.hovered = index;
  draw();
}

function pickRow(index) {
  view.picked = view.picked === index ? -1 : index;
  draw();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  $("picture").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

function draw() {
  const { shot, result, threshold } = view;
  if (!shot) return;
  const { people, skeleton } = result;
  const image = sizeOf(result);
  const looks = { threshold, show: shown(), scale: (($("picture").clientWidth || image.width) / image.width) * view.zoom, ...chosenLooks() };
  const age = performance.now() - view.since;
  $("overlay").classList.toggle("fresh", age < DRAW_IN_MS);
  if (age < DRAW_IN_MS) $("overlay").style.setProperty("--age", `${Math.round(-age)}ms`); // a redraw goes on where the motion was
  drawOverlay($("overlay"), people, { image, skeleton, ...looks });
  markPeople($("people-list"), view.person);
  markJoints($("joints"), people[chosen()], threshold, view.picked);
  showTip(looks.picked >= 0 && looks.person === (people.length > 1 ? chosen() : -1) ? people[chosen()]?.keypoints[looks.picked] : null);
  sayWhatWasFound(shot, people, threshold);
  $("threshold-value").textContent = percent(threshold);
  $("threshold-own").hidden = view.moved;
  $("threshold").setAttribute("aria-valuetext", percent(threshold));
  $("ramp").hidden = !looks.show.heat;
  $("legend").hidden = looks.show.heat || looks.show.people;
  onDraw(shot);
}

function sayWhatWasFound({ alt, answered }, people, threshold) {
  // a guess shows all, but what is sure of it is as sure as ever
  const { found, sure } = summary(people, answered.guess ? view.result.threshold : threshold, answered.guess);
  const said = sure ? `${found} · ${sure}` : found;
  if ($("summary").textContent !== said) $("summary").replaceChildren(found, make("span", { className: "unseen" }, " · "), make("small", {}, sure));
  $("photo").alt = `${alt ?? "Your photo"}: ${said}`;
  announce(said);
}

function showTip(joint) {
  const tip = $("tip");
  tip.hidden = !joint;
  if (!joint) return;
  tip.textContent = `${label(joint.name)} ${percent(joint.score)}`;
  const { width, height } = sizeOf(view.result);
  const drawn = $("overlay").getBoundingClientRect();
  const frame = $("picture").getBoundingClientRect();
  const x = drawn.left - frame.left + (drawn.width * (joint.x + 0.5)) / width;
  const y = drawn.top - frame.top + (drawn.height * (joint.y + 0.5)) / height;
  tip.style.left = `clamp(4.5rem, ${x}px, 100% - 4.5rem)`;
  tip.style.top = `clamp(0px, ${y}px, 100%)`;
  tip.classList.toggle("below", y < frame.height * 0.15);
}

function point(event) {
  if (!view.shot) return;
  const { people } = view.result;
  const box = $("overlay").getBoundingClientRect();
  const perPx = sizeOf(view.result).width / box.width;
  const reach = (event.pointerType === "mouse" ? 14 : 26) * perPx;
  const [x, y] = [(event.clientX - box.left) * perPx, (event.clientY - box.top) * perPx];
  const hit = nearestJoint(people, x, y, view.threshold, reach);
  const person = hit?.person ?? personAt(people, x, y);
  if (event.type === "click") {
    const other = people.length > 1 && person !== view.person;
    if (other) pickPerson(person < 0 ? view.person : person);
    view.picked = hit?.joint ?? -1;
    draw();
  } else if (event.pointerType === "mouse") {
    const pointed = people.length > 1 ? person : -1;
    const hovered = hit?.person === chosen() ? hit.joint : -1;
    if (pointed === view.pointed && hovered === view.hovered) return;
    Object.assign(view, { pointed, hovered });
    draw();
  }
}

export function wireViewer(drawn) {
  onDraw = drawn;
  $("ramp-bar").style.background = `linear-gradient(90deg, ${RAMP.map(rgb)})`;
  $("overlay").addEventListener("pointermove", point);
  $("overlay").addEventListener("click", point);
  $("overlay").addEventListener("pointerleave", () => {
    Object.assign(view, { pointed: -1, hovered: -1 });
    draw();
  });
  for (const name of SHOWN) $(`show-${name}`).addEventListener("change", draw);
  $("threshold").addEventListener("input", () => {
    Object.assign(view, { threshold: Number($("threshold").value), moved: true });
    draw();
  });
  new ResizeObserver(draw).observe($("picture")); // strokes keep a least width on the screen
}

/** The picture is shown at so many times its fitting size. */
export function setZoom(k) {
  view.zoom = k;
  draw();
}
