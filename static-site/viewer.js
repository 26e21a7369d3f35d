// The result on the page: skeleton, lists and numbers, and what the pointer is on. Holds what is looked at.
import { curlCommand } from "./api.js";
import { RAMP, impliedThreshold, nearestJoint } from "./geometry.js";
import { megabytes, summary } from "./messages.js";
import { drawOverlay } from "./overlay.js";
import { listJoints, listPeople, markJoints, percent } from "./panel.js";
import { label, rgb } from "./skeleton.js";
import { $, announce } from "./stage.js";

const view = { result: null, photo: null, base: "", threshold: 0, moved: false, person: 0, picked: -1, hovered: -1 };
const SHOWN = ["skeleton", "joints", "names", "heat"];

/** The threshold for requests: null leaves it to the model, until the slider is moved. */
export const askedThreshold = () => (view.moved ? view.threshold : null);
export const currentResult = () => view.result;

export function forget() {
  Object.assign(view, { result: null, person: 0, picked: -1, hovered: -1 });
  $("overlay").replaceChildren();
  $("tip").hidden = true;
}

export function showResult(result, { photo, base, seconds }) {
  const threshold = impliedThreshold(result.people);
  Object.assign(view, { result, photo, base, threshold, moved: false });
  $("threshold").value = threshold;
  listPeople($("people-list"), result.people, choosePerson);
  choosePerson(0);
  const inside = Object.entries(result.timings_ms ?? {}).map(([name, ms]) => `${name} ${Math.round(ms)} ms`);
  $("timings").textContent =
    [`${seconds.toFixed(1)} s in all`, `${megabytes(photo.blob.size)} sent`, ...inside].join(" · ");
  $("model").textContent = result.model?.name ? `Model: ${result.model.name}.` : "";
  $("download-note").textContent = "";
}

function choosePerson(index) {
  Object.assign(view, { person: index, picked: -1, hovered: -1 });
  $("people-list").children[index].firstChild.checked = true;
  listJoints($("joints"), view.result.people[index], { onHover: hover, onPick: pickRow });
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
  const { result, threshold, person } = view;
  if (!result) return;
  const { people, image } = result;
  const show = Object.fromEntries(SHOWN.map((name) => [name, $(`show-${name}`).checked]));
  const picked = view.hovered >= 0 ? view.hovered : view.picked;
  const scale = ($("picture").clientWidth || image.width) / image.width;
  drawOverlay($("overlay"), people, { image, threshold, show, person, picked, scale });
  markJoints($("joints"), people[person], threshold, view.picked);
  showTip(people[person].keypoints[picked], image);
  const said = summary(people, threshold);
  if ($("summary").textContent !== said) $("summary").textContent = said;
  $("photo").alt = `Your photo: ${said}`;
  announce(said);
  $("threshold-value").textContent = percent(threshold);
  $("threshold").setAttribute("aria-valuetext", percent(threshold));
  $("ramp").hidden = !show.heat;
  $("legend").hidden = show.heat;
  $("curl").textContent = curlCommand(view.base, view.photo.name, "png", askedThreshold());
}

function showTip(joint, image) {
  const tip = $("tip");
  tip.hidden = !joint;
  if (!joint) return;
  tip.textContent = `${label(joint.name)} ${percent(joint.score)}`;
  tip.style.left = `clamp(4.5rem, ${(100 * (joint.x + 0.5)) / image.width}%, 100% - 4.5rem)`;
  tip.style.top = `${(100 * (joint.y + 0.5)) / image.height}%`;
  tip.classList.toggle("below", joint.y < image.height * 0.15);
}

function point(event) {
  if (!view.result) return;
  const { people, image } = view.result;
  const box = $("overlay").getBoundingClientRect();
  const perPx = image.width / box.width;
  const reach = (event.pointerType === "mouse" ? 14 : 26) * perPx;
  const hit = nearestJoint(people, (event.clientX - box.left) * perPx, (event.clientY - box.top) * perPx,
    view.threshold, reach);
  if (event.type === "pointerdown") {
    if (hit && hit.person !== view.person) choosePerson(hit.person);
    view.picked = hit?.joint ?? -1;
    draw();
  } else if (event.pointerType === "mouse") {
    hover(hit?.person === view.person ? hit.joint : -1);
  }
}

export function wireViewer() {
  $("ramp-bar").style.background = `linear-gradient(90deg, ${RAMP.map(rgb)})`;
  $("overlay").addEventListener("pointermove", point);
  $("overlay").addEventListener("pointerdown", point);
  $("overlay").addEventListener("pointerleave", () => hover(-1));
  for (const name of SHOWN) $(`show-${name}`).addEventListener("change", draw);
  $("threshold").addEventListener("input", () => {
    Object.assign(view, { threshold: Number($("threshold").value), moved: true });
    draw();
  });
  new ResizeObserver(draw).observe($("picture")); // strokes keep a least width on the screen
}
