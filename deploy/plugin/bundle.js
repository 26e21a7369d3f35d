// The site's modules -> one script for each page, what is loaded later included: on a slow line every file costs a round
// trip, and all of it is 30 kB compressed.

import path from 'node:path';

/** The entries (names of scripts in `folder`), bundled and minified: name -> Buffer; null where esbuild is not installed. */
export async function bundledScripts(folder, entries) {
  let esbuild;
  try {
    esbuild = await import('esbuild');
  } catch {
    return null;
  }
  const scripts = new Map();
  for (const entry of entries) { // each by itself, so that no page waits for what another needs
    const { outputFiles } = await esbuild.build({
      entryPoints: [path.join(folder, entry)], outbase: folder, outdir: folder, bundle: true, format: 'esm',
      minify: true, target: 'es2022', write: false, logLevel: 'silent', legalComments: 'none',
    });
    for (const file of outputFiles) scripts.set(path.relative(folder, file.path).split(path.sep).join('/'), Buffer.from(file.contents));
  }
  return scripts;
}

/** A page without preloads: its one script has everything. */
export const withoutPreloads = (html) => html.replace(/<link rel="modulepreload"[^>]*>\n/g, '');
