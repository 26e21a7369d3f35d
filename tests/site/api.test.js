import assert from "node:assert/strict";
import { test } from "node:test";
import * as api from "../../static-site/api.js";
import { Problem } from "../../static-site/messages.js";
import { imageType } from "../../static-site/photo.js";

test("an empty address is this origin, none is not configured", () => {
  assert.equal(api.readConfig({ apiUrl: "" }).base, "");
  assert.equal(api.readConfig({ apiUrl: " https://x.example/prod/ " }).base, "https://x.example/prod");
  for (const config of [undefined, {}, { apiUrl: null }, { apiUrl: 7 }]) assert.equal(api.readConfig(config).base, null);
});

test("limits have defaults, and big photos are off until they are on", () => {
  assert.deepEqual(api.readConfig({ apiUrl: "" }), { base: "", auth: "none", uploads: false, photoDays: 1, maxBytes: 4_500_000, timeoutMs: 40_000 });
  assert.equal(api.readConfig({ apiUrl: "", maxBytes: 2e7 }).maxBytes, 2e7);
});

test("a threshold and a box are sent only if there are any", () => {
  assert.equal(api.posePath("json"), "/pose?format=json");
  assert.equal(api.posePath("png", { threshold: 0.30000000000000004 }), "/pose?format=png&threshold=0.3");
  assert.equal(api.posePath("png", { threshold: 0 }), "/pose?format=png&threshold=0");
  assert.equal(api.posePath("json", { box: [1, 2.26, 30, 40] }), "/pose?format=json&box=1,2.3,30,40");
});

test("curl shows what an error says, and fetches a sample first", () => {
  assert.equal(api.curlCommand({ base: "https://x", auth: "none" }, "it's.jpg", "png"),
    `curl --fail-with-body -F 'image=@"it'\\''s.jpg"' 'https://x/pose?format=png' -o 'it'\\''s-pose.png' || cat 'it'\\''s-pose.png'`);
  assert.match(api.curlCommand({ base: "", auth: "key" }, "a.jpg", "json"), /-H "Authorization: Bearer \$HPE_KEY" /);
  assert.match(api.curlCommand({ base: "", auth: "none" }, "a.jpg", "json", {}, "https://x/samples/a.jpg"), /^curl -sSfO 'https:\/\/x\/samples\/a\.jpg' && curl /);
});

test("problem details are read, other bodies do no harm", () => {
  const problem = api.problemFrom(413, '{"title": "T", "detail": "D", "hint": "H", "status": 413}', "5");
  assert.deepEqual([problem.status, problem.title, problem.detail, problem.hint, problem.retryAfter], [413, "T", "D", "H", 5]);
  for (const text of ["", "<html>", "null", "[]", '"x"', '{"detail": {"a": 1}}']) {
    assert.equal(api.problemFrom(502, text).detail, undefined);
  }
});

test("only a result is taken for one", () => {
  const good = { width: 2, height: 1, threshold: 0.2, skeleton: [], people: [{ keypoints: [] }] };
  assert.deepEqual(api.parseResult(JSON.stringify(good)), good);
  for (const bad of ["", "<html>", "null", "{}", '{"people": []}', JSON.stringify({ ...good, people: [null] }),
    JSON.stringify({ ...good, threshold: null }), JSON.stringify({ ...good, skeleton: undefined })]) {
    assert.throws(() => api.parseResult(bad), (e) => e.kind === "badAnswer");
  }
});

const failing = (problems) => {
  let calls = 0;
  return { calls: () => calls, attempt: async () => {
    const problem = problems[calls++];
    if (problem) throw problem;
    return "done";
  } };
};
const busy = (status, retryAfter) => new Problem("http", { status, retryAfter });

test("a busy service is asked again after as long as it said", async () => {
  const waits = [];
  const { attempt, calls } = failing([busy(429, 7), busy(503, null)]);
  assert.equal(await api.withRetries(attempt, { wait: async (seconds) => waits.push(seconds) }), "done");
  assert.equal(calls(), 3);
  assert.deepEqual(waits, [7, 4]);
});

test("after three tries, after other faults, and for a long wait, it is not asked again", async () => {
  for (const [problems, times] of [
    [[busy(429, 1), busy(429, 1), busy(429, 1), null], 3], [[busy(500), null], 1], [[new Problem("offline"), null], 1],
    [[busy(503, 30), null], 1],
  ]) {
    const { attempt, calls } = failing(problems);
    await assert.rejects(api.withRetries(attempt, { wait: async () => {} }), Problem);
    assert.equal(calls(), times);
  }
});

test("cancelling ends the wait", async () => {
  const control = new AbortController();
  const { attempt } = failing([busy(429, 9)]);
  const waiting = api.withRetries(attempt, { signal: control.signal, onWait: () => control.abort() });
  await assert.rejects(waiting, (e) => e.kind === "cancelled");
});

test("file types are told by their word, else by their name", () => {
  assert.equal(imageType({ type: "image/png", name: "a.heic" }), "image/png");
  assert.equal(imageType({ type: "", name: "IMG_1.HEIC" }), "image/heic");
  assert.equal(imageType({ type: "application/octet-stream", name: "scan.tif" }), "image/tiff");
  assert.equal(imageType({ type: "text/plain", name: "a.jpg" }), "");
  assert.equal(imageType({ type: "", name: "notes" }), "");
});
