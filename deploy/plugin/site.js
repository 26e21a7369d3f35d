// The website's files -> its bucket, with types and cache headers, only where something changed.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import {
  DeleteObjectsCommand, HeadObjectCommand, paginateListObjectsV2, PutObjectCommand,
} from '@aws-sdk/client-s3';

import { DeployError } from './model.js';

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

/** Every file of the site, config.js made for this API: name -> Buffer, without hidden files. */
export async function siteFiles(folder, apiUrl, auth = 'none', photoDays = 1) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map();
  for (const entry of entries) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const name = path.relative(folder, file).split(path.sep).join('/');
    if (entry.isFile() && !name.split('/').some((part) => part.startsWith('.'))) files.set(name, await readFile(file));
  }
  if (!files.has('index.html')) throw new DeployError(`${folder} has no index.html: there is no website to upload`);
  files.set('config.js', Buffer.from(configScript(apiUrl, auth, photoDays)));
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
