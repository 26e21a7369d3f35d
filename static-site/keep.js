// The photos of this tab, kept on this device until the tab is closed or they are cleared: a reload brings them back.

const TAB = "hpe-tab";
const DAY_MS = 86_400_000; // what a tab that is gone left behind

function tabId() {
  try {
    const id = sessionStorage.getItem(TAB) ?? crypto.randomUUID();
    sessionStorage.setItem(TAB, id);
    return id;
  } catch {
    return null; // a browser that forbids storage
  }
}

const settled = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function store(mode) {
  const opening = indexedDB.open("hpe-photos", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("photos", { keyPath: "key" });
  const database = await settled(opening);
  return database.transaction("photos", mode).objectStore("photos");
}

/** Runs it; without storage nothing is kept, and nobody needs to know. */
async function quietly(job, otherwise) {
  try {
    return await job();
  } catch {
    return otherwise;
  }
}

/** Returns {photos(), put(shot), remove(shot)}; a shot: {id, file, result, answered, seconds, how}. */
export function createKeep() {
  const tab = tabId();
  const keyOf = (id) => `${tab}/${String(id).padStart(6, "0")}`;
  return {
    /** Those of this tab, in order: [{file, result, answered, seconds, how}]; older ones of other tabs are dropped. */
    photos: () => quietly(async () => {
      const all = await settled((await store("readonly")).getAll());
      const old = all.filter(({ key, at }) => !key.startsWith(`${tab}/`) && Date.now() - at > DAY_MS);
      for (const { key } of old) await settled((await store("readwrite")).delete(key));
      return all.filter(({ key }) => key.startsWith(`${tab}/`));
    }, []),
    put: ({ id, file, result, answered, seconds, how }) => quietly(async () =>
      settled((await store("readwrite")).put({ key: keyOf(id), at: Date.now(), file, result, answered, seconds, how }))),
    remove: ({ id }) => quietly(async () => settled((await store("readwrite")).delete(keyOf(id)))),
  };
}
