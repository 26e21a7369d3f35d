// The API's pages, made from the document the API itself serves.
import { readConfig, send } from "./api.js";
import { explain, Problem } from "./messages.js";
import { marked, operations } from "./openapi.js";

const config = readConfig(window.HPE_CONFIG);
const place = document.getElementById("reference");

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const prose = (text) => marked(text).map(([kind, part]) => (kind === "code" ? make("code", {}, part) : part));

function table(caption, heads, rows) {
  if (!rows.length) return "";
  const line = (cells) => make("tr", {}, ...cells.map((cell, i) =>
    i ? make("td", {}, ...[cell].flat()) : make("th", { scope: "row" }, make("code", {}, cell))));
  const grid = make("table", {}, make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))), make("tbody", {}, ...rows.map(line)));
  return make("div", { className: "wide", tabIndex: 0, role: "region", ariaLabel: caption }, grid);
}

function section(op) {
  const name = `${op.method} ${op.path}`;
  return make("section", {},
    make("h2", {}, make("code", {}, name), ` ${op.summary}`),
    ...op.text.split(/\n\s*\n/).filter(Boolean).map((part) => make("p", {}, ...prose(part))),
    op.bodies.length ? make("p", {}, "Body: ", ...op.bodies.flatMap((t, i) => [i ? ", " : "", make("code", {}, t)])) : "",
    table(`Parameters of ${name}`, ["Name", "In", "Type", "What it does"],
      op.parameters.map((p) => [p.name, p.where, p.type, prose(p.text)])),
    table(`Answers of ${name}`, ["Status", "Type", "When"], op.answers.map((a) => [a.status, a.types.join(", "), prose(a.text)])));
}

async function show() {
  if (config.base === null) throw new Problem("unconfigured");
  const base = config.base || location.origin;
  for (const node of document.querySelectorAll("[data-base]")) {
    node.textContent = node.textContent.replaceAll("https://API", base);
  }
  const { blob } = await send(`${config.base}/openapi.json`, { accept: "application/json", timeoutMs: config.timeoutMs });
  const doc = JSON.parse(await blob.text());
  place.replaceChildren(
    make("p", {}, ...prose(doc.info?.description ?? ""), " ", make("a", { href: `${base}/openapi.json` }, "The OpenAPI document")),
    ...operations(doc).map(section));
}

show().catch((problem) => {
  const { title, text } = explain(problem);
  place.replaceChildren(make("p", {}, make("strong", {}, `${title}. `), text));
}).finally(() => place.removeAttribute("aria-busy"));
