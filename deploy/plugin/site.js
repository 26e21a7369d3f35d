// The website's files -> its bucket, with types and cache headers, only where something changed.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import {
  DeleteObjectsCommand, HeadObjectCommand, paginateListObjectsV2, PutObjectCommand,
} from '@aws-sdk/client-s3';

import { bundledScripts, withoutPreloads } from './bundle.js';
import { DeployError } from './model.js';
import { privateFiles } from './private.js';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.wasm': 'application/wasm',
  '.onnx': 'application/octet-stream',
  '.gz': 'application/gzip',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

// File names carry no hash, so browsers must ask again; the CDN is told when something changes. Images stay a day.
const ASK_AGAIN = 'no-cache';
const A_DAY = 'public, max-age=86400';

export function headersOf(name) {
  const extension = path.extname(name).toLowerCase();
  const type = TYPES[extension];
  if (!type) throw new DeployError(`static-site/${name}: no content type is known for "${extension}": add it in deploy/plugin/site.js`);
  return { ContentType: type, CacheControl: /^(image|font)\//.test(type) ? A_DAY : ASK_AGAIN };
}

/** The API's address, whether the page must ask for a key ('none', 'key' or 'jwt'), and how long uploads stay. */
export function configScript(apiUrl, auth, photoDays = 1) {
  return `window.HPE_CONFIG = ${JSON.stringify({ apiUrl, uploads: true, photoDays, auth })};\n`;
}

// What `hpe predict` leaves beside a photo: never a part of the site.
const RESULT = /\.pose\.\w+$|_keypoints\.json$/;

/** Every file of static-site/: name -> Buffer, without hidden files and results of `hpe predict`. */
async function ownFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map();
  for (const entry of entries) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const name = path.relative(folder, file).split(path.sep).join('/');
    if (!entry.isFile() || RESULT.test(name) || name.split('/').some((part) => part.startsWith('.'))) continue;
    files.set(name, await readFile(file));
  }
  if (!files.has('index.html')) throw new DeployError(`${folder} has no index.html: there is no website to upload`);
  return files;
}

// Scripts that no page names, and that stay as they are.
const WORKER = 'private/worker.js';
const PLAIN = ['config.js', 'sw.js'];

/** Scripts in bundles instead of one by one. */
async function bundle(folder, files) {
  const entryOf = (name) => /<script type="module" src="([\w.-]+)"/.exec(files.get(name))?.[1];
  const pages = [...files.keys()].filter((name) => name.endsWith('.html'));
  const entries = [...pages.map(entryOf), WORKER].filter((name) => files.has(name));
  const scripts = await bundledScripts(folder, entries);
  if (!scripts) return;
  for (const name of [...files.keys()]) if (name.endsWith('.js') && !PLAIN.includes(name)) files.delete(name);
  for (const [name, body] of scripts) files.set(name, body);
  for (const name of pages) files.set(name, Buffer.from(withoutPreloads(files.get(name).toString())));
}

/**
 * Every file of the website of the checkout `root`: name -> Buffer. options: apiUrl (null: no API), auth, photoDays, model (its
 * manifest, for private mode), siteUrl (where the site will be, for previews that other sites show).
 */
export async function siteFiles(root, { apiUrl, auth = 'none', photoDays = 1, model, siteUrl = '' }) {
  const folder = path.join(root, 'static-site');
  const files = await ownFiles(folder);
  await bundle(folder, files);
  files.set('config.js', Buffer.from(apiUrl === null ? 'window.HPE_CONFIG = {};\n' : configScript(apiUrl, auth, photoDays)));
  if (siteUrl) {
    const absolute = (html) => html.replace(/(<meta property="og:image" content=")(?!https)/, `$1${siteUrl.replace(/\/*$/, '/')}`);
    for (const name of files.keys()) if (name.endsWith('.html')) files.set(name, Buffer.from(absolute(files.get(name).toString())));
  }
  for (const [name, body] of await privateFiles(root, model, [...files.keys()].sort())) files.set(name, body);
  return files;
}

async function isThere(s3, bucket, name, etag, headers) {
  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: name }));
  return head.ETag === etag && head.ContentType === headers.ContentType && head.CacheControl === headers.CacheControl;
}

/** Make the bucket hold these files and no others. Gives the names that were written or deleted. */
export async function syncSite(s3, bucket, files) {
  const present = new Set();
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket })) {
    for (const { Key } of page.Contents ?? []) present.add(Key);
  }
  const changed = [];
  for (const [name, body] of files) {
    const headers = headersOf(name);
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    if (present.has(name) && (await isThere(s3, bucket, name, etag, headers))) continue;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: body, ...headers }));
    changed.push(name);
  }
  const gone = [...present].filter((name) => !files.has(name));
  for (let at = 0; at < gone.length; at += 1000) {
    const Objects = gone.slice(at, at + 1000).map((Key) => ({ Key }));
    await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
  }
  return [...changed, ...gone];
}
