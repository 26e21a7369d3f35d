// Keeps the page for use offline: what the network gives comes first, what was kept where it gives nothing.
const SITE = "hpe-site";

async function keep() {
  const newest = (name) => new Request(name, { cache: "reload" }); // not what the browser took for fresh
  const { site = [] } = await (await fetch(newest("private/files.json"))).json();
  const cache = await caches.open(SITE);
  await Promise.all(["./", "private/files.json", ...site].map((name) => cache.add(newest(name)).catch(() => {})));
}

async function answer(request) {
  if (new URL(request.url).searchParams.has("sha256")) { // content that never changes
    const kept = await caches.match(request);
    if (kept) return kept;
  }
  try {
    const fresh = await fetch(request);
    const cache = await caches.open(SITE);
    if (fresh.ok && (await cache.match(request))) await cache.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) event.respondWith(answer(request));
});
