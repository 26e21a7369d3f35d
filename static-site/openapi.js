// An OpenAPI document -> plain rows for a page. Pure: node tests it on the API's own document.

/** Follows {"$ref": "#/..."} inside the document. */
export function resolve(doc, node) {
  if (typeof node?.$ref !== "string") return node;
  const keys = node.$ref.slice(2).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return resolve(doc, keys.reduce((at, key) => at?.[key], doc));
}

/** A schema in a few words: "png | jpeg", "number 0 to 1", "array of string". */
export function typeText(doc, schema) {
  const s = resolve(doc, schema) ?? {};
  if (s.enum) return s.enum.join(" | ");
  const either = s.oneOf ?? s.anyOf;
  if (either) return either.map((one) => typeText(doc, one)).join(" or ");
  const type = [s.type ?? (s.properties ? "object" : "any")].flat().join(" or ");
  if (s.type === "array") return `array of ${typeText(doc, s.items)}`;
  const low = s.minimum ?? s.exclusiveMinimum;
  const high = s.maximum ?? s.exclusiveMaximum;
  if (low !== undefined && high !== undefined) return `${type} ${low} to ${high}`;
  return s.format ? `${type} (${s.format})` : type;
}

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Worked examples: [{summary, command, value}]; a picture has no value. */
const examplesOf = (response) => Object.values(response.content ?? {}).flatMap(({ examples = {} }) =>
  Object.values(examples).map(({ summary = "", description = "", value }) => ({ summary, command: description.replaceAll("`", ""), value })));

/** [{method, path, summary, text, parameters, bodies, answers, examples}], in the document's order. */
export function operations(doc) {
  return Object.entries(doc.paths ?? {}).flatMap(([path, item]) => METHODS.filter((m) => item[m]).map((method) => {
    const op = item[method];
    const parameters = [...(item.parameters ?? []), ...(op.parameters ?? [])].map((p) => resolve(doc, p));
    return {
      method: method.toUpperCase(), path, summary: op.summary ?? "", text: op.description ?? "",
      parameters: parameters.map((p) => ({
        name: p.name, where: p.in, type: typeText(doc, p.schema), text: p.description ?? "",
      })),
      bodies: Object.keys(resolve(doc, op.requestBody)?.content ?? {}),
      answers: Object.entries(op.responses ?? {}).map(([status, response]) => {
        const r = resolve(doc, response);
        return { status, text: r.description ?? "", types: Object.keys(r.content ?? {}), headers: Object.keys(r.headers ?? {}) };
      }),
      examples: Object.values(op.responses ?? {}).flatMap((response) => examplesOf(resolve(doc, response) ?? {})),
    };
  }));
}

/** "a `b` c" -> [["text", "a "], ["code", "b"], ["text", " c"]] */
export const marked = (text) =>
  text.split("`").map((part, i) => [i % 2 ? "code" : "text", part]).filter(([, part]) => part);
