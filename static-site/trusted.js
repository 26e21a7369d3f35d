// The only scripts that this page starts beyond its modules, by name: Trusted Types lets nothing else through.

const OWN = ["private/worker.js", "sw.js"];
const checked = (name) => {
  if (!OWN.includes(name)) throw new TypeError(`${name} is not a script of this page`);
  return new URL(name, document.baseURI).href;
};
const policy = globalThis.trustedTypes?.createPolicy("own", { createScriptURL: checked });

/** The address of a script of this site, as Worker and serviceWorker.register take it. */
export const ownScript = (name) => (policy ? policy.createScriptURL(name) : checked(name));
