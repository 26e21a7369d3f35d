import assert from "node:assert/strict";
import { test } from "node:test";
import { createShots } from "../../static-site/shots.js";

const file = (name) => ({ name });
const settled = () => new Promise((done) => setTimeout(done));

/** Shots whose work ends when the test says so. */
function scripted() {
  const open = [];
  const work = (shot, signal) => new Promise((done, fail) => {
    open.push({ shot, done: (result) => { shot.result = result; done(); }, fail });
    signal.addEventListener("abort", () => fail(new Error("cancelled")));
  });
  return { shots: createShots({ work, onChange: () => {} }), open };
}
const states = ({ list }) => list.map(({ state }) => state);

test("photos are processed one at a time, in order, and each is kept", async () => {
  const { shots, open } = scripted();
  shots.add([file("a"), file("b")]);
  shots.add([file("c")]);
  assert.deepEqual(states(shots), ["busy", "waiting", "waiting"]);
  assert.equal(shots.ahead(shots.list[2]), 2);
  open[0].done({ people: [] });
  await settled();
  open[1].fail(new Error("no"));
  await settled();
  assert.deepEqual(states(shots), ["done", "problem", "busy"]);
  assert.equal(shots.ahead(shots.list[2]), 0);
  assert.deepEqual(open.map(({ shot }) => shot.name), ["a", "b", "c"]);
});

test("a photo that is cancelled leaves the list, and the next one begins", async () => {
  const { shots, open } = scripted();
  const [a] = shots.add([file("a"), file("b")]);
  shots.cancel(a);
  await settled();
  assert.deepEqual(shots.list.map(({ name, state }) => [name, state]), [["b", "busy"]]);
  assert.equal(open.length, 2);
});

test("a second try that is cancelled leaves the first answer", async () => {
  const { shots, open } = scripted();
  const [a] = shots.add([file("a")]);
  open[0].done({ people: [1] });
  await settled();
  a.answered = {};
  shots.again(a, { box: [0, 0, 1, 1] });
  assert.equal(a.state, "busy");
  shots.cancel(a);
  await settled();
  assert.deepEqual([a.state, a.ask, a.result], ["done", {}, { people: [1] }]);
});

test("samples stay behind the user's photos and are not processed", () => {
  const { shots, open } = scripted();
  shots.addSamples([{ name: "s" }]);
  shots.add([file("a")]);
  assert.deepEqual(shots.list.map(({ name, state }) => [name, state]), [["a", "busy"], ["s", "cold"]]);
  assert.equal(open.length, 1);
});
