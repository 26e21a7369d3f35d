// The API's pages, made from the document the API itself serves.
import { readConfig, send } from "./api.js";
import { explain, megabytes, Problem } from "./messages.js";
import { marked, operations } from "./openapi.js";
import { make } from "./panel.js";
import { sampleUrl } from "./samples.js";
import { addCopyButtons, wireTabs } from "./tabs.js";

const config = readConfig(window.HPE_CONFIG);
const place = document.getElementById("reference");

const $ = (id) => document.getElementById(id);
const SAMPLE = "people.jpg";

const prose = (text) => marked(text).map(([kind, part]) => (kind === "code" ? make("code", {}, part) : part));

function table(caption, heads, rows, kind = "") {
  if (!rows.length) return "";
  const line = (cells) => make("tr", {}, ...cells.map((cell, i) =>
    i ? make("td", {}, ...[cell].flat()) : make("th", { scope: "row" }, make("code", {}, cell))));
  const grid = make("table", {}, make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))), make("tbody", {}, ...rows.map(line)));
  return make("div", { className: `wide ${kind}`.trim(), tabIndex: 0, role: "region", ariaLabel: caption }, grid);
}

/** A worked example, folded: the request, and what answers it. */
function example({ summary, command, value }, base) {
  const code = (text, className = "") => make("pre", { tabIndex: 0, className }, make("code", {}, text));
  const answer = () => [make("h4", {}, "Answer"), code(typeof value === "string" ? value : laidOut(value), "answer")];
  return make("details", { className: "example" }, make("summary", {}, summary), code(named(command, base)), ...(value === undefined ? [] : answer()));
}

function section(op, base) {
  const name = `${op.method} ${op.path}`;
  return make("section", {},
    make("h2", {}, make("code", {}, name), ` ${op.summary}`),
    ...op.text.split(/\n\s*\n/).filter(Boolean).map((part) => make("p", {}, ...prose(part))),
    op.bodies.length ? make("p", {}, "Body: ", ...op.bodies.flatMap((t, i) => [i ? ", " : "", make("code", {}, t)])) : "",
    table(`Parameters of ${name}`, ["Name", "In", "Type", "What it does"],
      op.parameters.map((p) => [p.name, p.where, p.type, prose(p.text)]), "parameters"),
    make("details", { className: "answers" }, make("summary", {}, `Answers of ${name}`),
      table(`Answers of ${name}`, ["Status", "Type", "When"], op.answers.map((a) => [a.status, a.types.join(", "), prose(a.text)]))),
    ...(op.examples.length ? [make("h3", {}, `Examples of ${name}`), ...op.examples.map((one) => example(one, base))] : []));
}

/** An example with this server's address and, if it wants one, a key. */
function named(text, base) {
  const here = text.replaceAll("https://API", base);
  if (config.auth === "none") return here;
  return here
    .replaceAll("curl --fail-with-body", 'curl --fail-with-body -H "Authorization: Bearer $HPE_KEY"')
    .replace('files={"image": photo})', 'files={"image": photo}, headers={"Authorization": f"Bearer {key}"})')
    .replace("body: file }", "body: file, headers: { Authorization: `Bearer ${key}` } }");
}

const nameThisServer = (base) => document.querySelectorAll("[data-base]").forEach((node) => (node.textContent = named(node.textContent, base)));

async function reference(base) {
  const { blob } = await send(`${config.base}/openapi.json`, { accept: "application/json", timeoutMs: config.timeoutMs });
  const doc = JSON.parse(await blob.text());
  place.replaceChildren(
    make("p", {}, ...prose(doc.info?.description ?? ""), " ", make("a", { href: `${base}/openapi.json` }, "The OpenAPI document")),
    ...operations(doc).map((op) => section(op, base)));
  addCopyButtons(place.querySelectorAll("pre"));
}

/** JSON as people read it: short lists and keypoints on one line each. */
const laidOut = (value) => JSON.stringify(value, null, 2)
  .replace(/\[\s*(-?[\d.]+(?:,\s*-?[\d.]+)*)\s*\]/g, (_, list) => `[${list.replace(/\s+/g, " ")}]`)
  .replace(/\{\s*("name": "[a-z_]+",\s*"x":[^{}]*?)\s*\}/g, (_, line) => `{ ${line.replace(/\s+/g, " ")} }`);

async function showStored() {
  const answer = await fetch(sampleUrl(SAMPLE).replace(".jpg", ".json"));
  $("try-answer").textContent = laidOut(await answer.json());
}

async function tryIt() {
  const note = $("try-note");
  const format = $("try-format").value;
  const people = $("try-people").value;
  note.textContent = "Sending…";
  $("try").disabled = true;
  try {
    const path = `/pose?format=${format}${people && `&people=${people}`}`;
    const photo = await (await fetch(sampleUrl(SAMPLE))).blob();
    const since = performance.now();
    const { status, blob } = await send(config.base + path, { method: "POST", withKey: true, body: photo, type: "image/jpeg", timeoutMs: config.timeoutMs });
    const took = performance.now() - since;
    note.textContent = `POST ${path}: ${status} after ${(took / 1000).toFixed(2)} s, ${megabytes(blob.size)} of ${blob.type}`;
    const picture = format !== "json";
    if (picture) {
      URL.revokeObjectURL($("try-picture").src);
      $("try-picture").src = URL.createObjectURL(blob);
    } else {
      $("try-answer").textContent = laidOut(JSON.parse(await blob.text()));
    }
    $("try-picture").hidden = !picture;
    $("try-pre").parentElement.hidden = picture;
  } catch (problem) {
    const { title, text, hint } = explain(problem);
    note.textContent = [`${title}.`, text, hint].filter(Boolean).join(" ");
  }
  $("try").disabled = false;
}

async function show() {
  const base = config.base || location.origin;
  wireTabs(document.querySelector('[role="tablist"]'));
  if (config.base !== null) nameThisServer(base);
  addCopyButtons(document.querySelectorAll("pre"));
  $("try").addEventListener("click", tryIt);
  showStored().catch(() => ($("try-answer").textContent = "The stored answer could not be loaded."));
  if (config.base === null) {
    for (const id of ["try-what", "try-ask"]) $(id).hidden = true;
    $("try-title").textContent = "The answer";
    $("try-note").textContent = "This copy of the site has no API to try. The answer to the sample looks like this:";
    throw new Problem("unconfigured");
  }
  await reference(base);
}

show().catch((problem) => {
  const { title, text } = explain(problem);
  place.replaceChildren(make("p", {}, make("strong", {}, `${title}. `), text));
}).finally(() => place.removeAttribute("aria-busy"));
