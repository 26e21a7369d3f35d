import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { marked, operations, resolve, typeText } from "../../static-site/openapi.js";

const doc = JSON.parse(await readFile(new URL("../../hpe/web/openapi.json", import.meta.url)));

test("references are followed, with their escapes", () => {
  const small = { a: { "x/y": { $ref: "#/b" } }, b: { type: "string" } };
  assert.deepEqual(resolve(small, { $ref: "#/a/x~1y" }), { type: "string" });
  assert.equal(resolve(small, undefined), undefined);
});

test("types are told in a few words", () => {
  assert.equal(typeText({}, { type: "string", enum: ["png", "json"] }), "png | json");
  assert.equal(typeText({}, { type: "number", minimum: 0, maximum: 1 }), "number 0 to 1");
  assert.equal(typeText({}, { type: ["string", "null"] }), "string or null");
  assert.equal(typeText({}, { type: "array", items: { type: "number" } }), "array of number");
  assert.equal(typeText({}, { anyOf: [{ type: "string" }, { type: "integer" }] }), "string or integer");
});

test("every operation of the API's own document is listed, with all its parameters and answers", () => {
  const listed = operations(doc);
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of ["get", "post"].filter((m) => item[m])) {
      const op = listed.find((o) => o.path === path && o.method === method.toUpperCase());
      assert.ok(op?.summary, `${method} ${path}`);
      assert.deepEqual(op.answers.map((a) => a.status), Object.keys(item[method].responses));
      assert.ok(op.answers.every((a) => a.text));
    }
  }
  const pose = listed.find((o) => o.path === "/pose");
  assert.deepEqual(pose.parameters.map((p) => p.name), doc.paths["/pose"].post.parameters.map((p) => p.name ?? resolve(doc, p).name));
  assert.ok(pose.bodies.includes("multipart/form-data"));
});

test("code in descriptions is told from text", () => {
  assert.deepEqual(marked("a `b` c"), [["text", "a "], ["code", "b"], ["text", " c"]]);
});

test("worked examples are listed with their request and their answer", () => {
  const value = [{ a: 1 }];
  const content = { "application/json": { examples: { coco: { summary: "COCO", description: "`curl x`", value } } }, "image/png": { examples: { png: { summary: "Drawn", description: "`curl y`" } } } };
  const [op] = operations({ paths: { "/pose": { post: { responses: { 200: { description: "d", content } } } } } });
  assert.deepEqual(op.examples, [{ summary: "COCO", command: "curl x", value }, { summary: "Drawn", command: "curl y", value: undefined }]);
});
