// The site's modules -> a few: one for each page and one for each thing that is loaded when it is first asked for. On a
// slow line every file costs a round trip.

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
  for (const entry of entries) { // each by itself: what pages share would otherwise be many small files
    const { outputFiles } = await esbuild.build({
      entryPoints: [path.join(folder, entry)], outbase: folder, outdir: folder, bundle: true, format: 'esm', splitting: true,
      minify: true, target: 'es2022', write: false, chunkNames: 'chunk-[hash]', logLevel: 'silent', legalComments: 'none',
    });
    for (const file of outputFiles) scripts.set(path.relative(folder, file.path).split(path.sep).join('/'), Buffer.from(file.contents));
  }
  return scripts;
}

/** A page that loads bundles: what it preloads are the files that its own bundle imports. */
export function withPreloads(html, scripts, entry) {
  const wanted = new Set();
  const follow = (name) => {
    for (const [, found] of (scripts.get(name) ?? '').toString().matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) {
      if (!wanted.has(found)) {
        wanted.add(found);
        follow(found);
      }
    }
  };
  follow(entry);
  const links = [...wanted].map((name) => `<link rel="modulepreload" href="${name}">\n`).join('');
  return html.replace(/<link rel="modulepreload"[^>]*>\n/g, '').replace('</head>', `${links}</head>`);
}
