// What can be known to go wrong before anything is made: each is one line that says what to do.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';

import { DeployError } from './model.js';

const run = promisify(execFile);

// AWS keeps this many executions unreserved for the account's other functions.
const UNRESERVED = 100;

/** The first Python of at least 3.11 among PYTHON, python3 and python. */
export async function findPython(environ = process.env) {
  const candidates = environ.PYTHON ? [environ.PYTHON] : ['python3', 'python'];
  const seen = [];
  for (const candidate of candidates) {
    try {
      const { stdout } = await run(candidate, ['-c', 'import sys, pip; print("%d.%d" % sys.version_info[:2])']);
      const [major, minor] = stdout.trim().split('.').map(Number);
      if (major === 3 && minor >= 11) return candidate;
      seen.push(`${candidate} is ${stdout.trim()}`);
    } catch (error) {
      seen.push(error.code === 'ENOENT' ? `no ${candidate}` : `${candidate} does not run with pip`);
    }
  }
  throw new DeployError(`Python 3.11 or newer with pip is needed to build the package (${seen.join(', ')}): install it, or name it in PYTHON`);
}

// PREFIX-STAGE-photos-ACCOUNT-REGION
const BUCKET_NAME = { most: 63, rest: '--photos-111122223333-'.length };

/** Names become part of bucket names, which AWS limits. */
export function checkNames(prefix, stage, region = '') {
  for (const [what, name] of [['prefix', prefix], ['stage', stage]]) {
    if (!/^[a-z][a-z0-9-]{0,14}$/.test(name)) {
      throw new DeployError(`${what} "${name}" cannot be part of a bucket name: use at most 15 of a-z, 0-9 and -, a letter first`);
    }
  }
  const room = BUCKET_NAME.most - BUCKET_NAME.rest - region.length;
  if (prefix.length + stage.length > room) {
    throw new DeployError(`prefix "${prefix}" and stage "${stage}" are too long for the name of a bucket in ${region}: use at most ${room} characters for both`);
  }
}

/** The account behind the credentials. */
export async function checkCredentials(sts, region) {
  try {
    return (await sts.send(new GetCallerIdentityCommand({}))).Account;
  } catch (error) {
    if (['ENOTFOUND', 'EAI_AGAIN'].includes(error.code)) {
      throw new DeployError(`AWS does not answer for region "${region}" (${error.code}): check --region and the network`);
    }
    const reason = error.message.split('\n')[0];
    throw new DeployError(`AWS does not accept the credentials (${error.name}: ${reason}): set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  }
}

/** Each bucket must be free, or this stack's own already. `owned` are the stack's buckets. */
export async function checkBucketNames(s3, names, owned) {
  for (const name of names) {
    if (owned.has(name)) continue;
    let taken;
    try {
      await s3.send(new HeadBucketCommand({ Bucket: name }));
      taken = 'in this account, outside of this stack';
    } catch (error) {
      const status = error.$metadata?.httpStatusCode;
      if (status === 404) continue;
      if (![301, 400, 403].includes(status)) throw error;
      taken = status === 301 ? 'in another region' : 'by another account';
    }
    throw new DeployError(`bucket name ${name} is taken ${taken}: choose another prefix with --param=prefix=NAME, or delete that bucket`);
  }
}

/** A new account may have fewer concurrent executions than the stack would reserve. */
export async function checkConcurrency(config, wanted, reservedNow = 0) {
  if (wanted === 'none') return;
  let limit;
  try {
    const answer = await new LambdaClient(config).send(new GetAccountSettingsCommand({}));
    limit = answer.AccountLimit ?? {};
  } catch {
    return; // not allowed to ask: CloudFormation will say so if it matters
  }
  const free = limit.UnreservedConcurrentExecutions;
  if (free === undefined || limit.ConcurrentExecutions === undefined) return;
  // AWS checks against 100 for ordinary accounts, and leaves new ones (limit 10) nothing to reserve.
  const floor = Math.min(UNRESERVED, limit.ConcurrentExecutions);
  if (free + reservedNow - Number(wanted) < floor) {
    throw new DeployError(
      `this account can run ${limit.ConcurrentExecutions} functions at once, ${free} of them unreserved: ${wanted} cannot be ` +
        'reserved. Deploy with --param=concurrency=none, or ask AWS for a higher quota of concurrent executions',
    );
  }
}
