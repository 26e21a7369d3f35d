import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, explain, fetching, megabytes, privacy, privateNote, summary, summaryLine, waitingText } from "../../static-site/messages.js";

const http = (status, facts = {}) => explain(new Problem("http", { status, ...facts }));

test("every kind and status has a title and a sentence that ends", () => {
  const kinds = ["offline", "unreachable", "timeout", "badAnswer", "notImage", "tooLarge", "unconfigured", "cancelled", "onlyOwn", "clipboard", "share"];
  const said = [...kinds.map((kind) => explain(new Problem(kind, { name: "a.txt", size: 9e6, limit: 4.5e6 }))),
    ...[400, 401, 403, 404, 405, 406, 411, 413, 415, 418, 422, 429, 500, 502, 503, 504, 599].map((s) => http(s))];
  for (const { title, text } of said) {
    assert.match(title, /^[A-Z].{5,}[a-z]$/);
    assert.match(text, /^[A-Z“].*[.]$/);
  }
});

test("the API's own words come through as sentences, with its hint", () => {
  const said = http(413, { detail: "70 megapixels; the limit is 64", hint: "make the photo smaller" });
  assert.equal(said.text, "70 megapixels; the limit is 64.");
  assert.equal(said.hint, "Make the photo smaller.");
  assert.equal(http(415, { detail: "this is a ZIP archive" }).text, "This is a ZIP archive.");
  assert.equal(http(400, { detail: "threshold=7 is no score" }).text, "threshold=7 is no score.");
});

test("what a broken server says of itself is not shown", () => {
  assert.doesNotMatch(JSON.stringify(http(500, { detail: "Traceback: KeyError" })), /Traceback/);
});

test("trying again is offered where it may help", () => {
  assert.deepEqual([400, 404, 413, 415, 422, 429, 500, 502, 503].filter((status) => http(status).retry), [429, 500, 502, 503]);
  assert.ok(explain(new Problem("offline")).retry);
  assert.ok(!explain(new Problem("notImage")).retry);
});

test("errors of the page itself are told calmly too", () => {
  assert.equal(explain(new TypeError("x is undefined")).title, "Something went wrong on this page");
  assert.doesNotMatch(explain(new TypeError("x is undefined")).text, /undefined/);
});

test("the wait is explained as it grows", () => {
  assert.match(waitingText(0), /Looking/);
  assert.match(waitingText(5000), /starting/);
  assert.match(waitingText(20000), /Still/);
});

test("fetching ends where starting begins", () => {
  assert.deepEqual(fetching(0.5, 20.4), ["Fetching private mode, 20 MB, once…", 0.5]);
  assert.deepEqual(fetching(1, 20.4), ["Starting private mode…", null]);
});

test("the switch says what it does before it is on, and what it did after", () => {
  assert.match(privateNote(false, 20), /^Keeps photos on this device: 20 MB/);
  assert.match(privateNote(true, 20), /^Photos stay/);
});

test("counts and sizes read well", () => {
  const person = { keypoints: [{ score: 0.9 }, { score: 0.1 }] };
  assert.equal(summaryLine([person], 0.3), "1 person found · 1 of 2 joints sure");
  assert.equal(summaryLine([person, person], 0.3), "2 people found · 2 of 4 joints sure");
  assert.equal(summaryLine([], 0.3), "Nobody found");
  assert.equal(summary(Array(20).fill(person), 0.3).found, "The first 20 people found", "there may be more");
  assert.equal(summaryLine([{ keypoints: [{ score: 0 }, { score: 0.1 }] }], 0, true), "Best guess of a person · 1 of 2 joints sure", "outside the photo nothing is sure");
  assert.deepEqual([300, 65432, 4_500_000].map(megabytes), ["1 kB", "65 kB", "4.5 MB"]);
});

test("privacy is told as the deployment is set up", () => {
  assert.match(privacy({ uploads: false }), /^Photos are processed in memory and not stored\. Your browser keeps/);
  assert.match(privacy({ uploads: false }, true), /never leave this device/);
  assert.match(privacy({ uploads: true, photoDays: 1, maxBytes: 4.5e6 }), /over 4\.5 MB .* after one day: 2 days at most\./);
});
