// A closed API stays closed until the command line says otherwise, whichever command would open it.

import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';

import { choicesOf } from './deployed.js';
import { DeployError } from './model.js';

/** A package must be what this deploy would make: it was built for a stack that may have changed since. */
export function checkPackage(params, packaged) {
  const names = Object.keys(params).filter((name) => !['kept', 'problem', 'model'].includes(name) && packaged[name] !== params[name]);
  if (!names.length) return;
  const differ = names.map((name) => `${name}=${packaged[name]} instead of ${params[name]}`).join(', ');
  throw new DeployError(
    `the package was made with ${differ}: make it again with ${names.map((name) => `--param=${name}=${params[name]}`).join(' ')}, or deploy without --package`,
  );
}

/** The template that a rollback to `timestamp` (as `serverless deploy list` prints it, or a date) would deploy; null if there is none. */
export async function templateAt(s3, Bucket, Prefix, timestamp) {
  const wanted = `/${new Date(/^\d+$/.test(timestamp) ? Number(timestamp) : timestamp).getTime()}-`;
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
    const found = (page.Contents ?? []).find(({ Key }) => Key.includes(wanted) && Key.endsWith('/compiled-cloudformation-template.json'));
    if (found) return JSON.parse(await (await s3.send(new GetObjectCommand({ Bucket, Key: found.Key }))).Body.transformToString());
  }
  return null;
}

/** A rollback brings settings back too, and must not open what was closed since. */
export function checkRollback(now, then, stage, words = []) {
  const [auth, before] = [choicesOf(now, stage).auth, choicesOf(then, stage).auth];
  if (auth !== 'none' && before === 'none' && !words.includes('auth=none')) {
    throw new DeployError(`the API is closed (auth=${auth}), and that deployment was open: say --param=auth=none if anyone may call it from now on`);
  }
}
