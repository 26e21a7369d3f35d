// `npm run site [-- FOLDER]`: the website as a folder for any file host, private mode included; no API is needed.
// SITE_URL: where it will be, for the picture that other sites show of a link to it.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { siteFiles } from './plugin/site.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.resolve(process.argv[2] ?? path.join(root, 'build', 'site'));
const model = process.env.HPE_MODEL || path.join(root, 'models', 'pose.json');

const files = await siteFiles(root, { apiUrl: process.env.API_URL ?? null, siteUrl: process.env.SITE_URL ?? '', model });
await rm(folder, { recursive: true, force: true });
for (const [name, body] of files) {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, body);
}
const { missing } = JSON.parse(files.get('private/files.json'));
process.stdout.write(`${folder}: ${files.size} files\n${missing ? `Private mode is not in it: ${missing}\n` : ''}`);
