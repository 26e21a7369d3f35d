// The photos that come with the page. Their answers were stored by `make figures`, so they need no service.
import { parseResult } from "./api.js";
import { sizeOf } from "./geometry.js";
import { Problem } from "./messages.js";

export const SAMPLES = [
  {
    name: "people.jpg", title: "Three people", alt: "A photographer, an admiral and an astronaut side by side",
    credit: "A photographer by Lav Varshney (CC0), Grace Hopper by the US Navy and Eileen Collins by NASA (public domain), put side by side.",
  },
  {
    name: "astronaut.jpg", title: "Astronaut", alt: "An astronaut in an orange suit, from the waist up",
    credit: "Eileen Collins, by NASA: public domain, shipped with scikit-image.",
  },
  {
    name: "volleyball.jpg", title: "Volleyball, a drawing", alt: "A drawn volleyball player in the air, about to hit the ball",
    credit: "A drawing made by this project’s own program, not a photo.",
  },
];

/** The one that shows what the network cannot do. */
export const FAILED = "volleyball.jpg";

const stem = (name) => name.replace(/\.jpg$/, "");
export const sampleUrl = (name) => `samples/${name}`;
export const thumbUrl = (name) => `samples/${stem(name)}-thumb.jpg`;

async function get(url) {
  try {
    const answer = await fetch(url);
    if (answer.ok) return answer;
  } catch {
    // told below
  }
  throw new Problem(navigator.onLine ? "unreachable" : "offline");
}

/** The stored answer of a sample. */
export async function storedResult(name) {
  return parseResult(await (await get(`samples/${stem(name)}.json`)).text());
}

/** A sample as a photo that can be sent. */
export async function samplePhoto(name, result) {
  const blob = await (await get(sampleUrl(name))).blob();
  return { blob, type: "image/jpeg", name, ...sizeOf(result), size: blob.size, sent: "as it is", clean: true, scale: 1 };
}
