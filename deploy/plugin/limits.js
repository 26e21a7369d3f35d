// What each parameter may be, and which go together. Everything here is known before anything is made.

import { DeployError } from './model.js';
import { allowedOrigins, AUTHS, mailSubscription, WEBSITES } from './values.js';

const ONE_OF = { website: WEBSITES, auth: AUTHS, architecture: ['arm64', 'x86_64'], runtime: ['python3.11', 'python3.12', 'python3.13', 'python3.14'] };
const HOST = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/;
const BUCKET = '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]';
const PATTERNS = {
  domain: [HOST, 'a host name, like pose.example.org'],
  apiDomain: [HOST, 'a host name, like api.example.org'],
  certificateArn: [/^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate\/.+$/, "the ARN of a certificate in us-east-1, as CloudFront requires"],
  apiCertificateArn: [/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/.+$/, "the ARN of a certificate in the stack's region"],
  jwtIssuer: [/^https:\/\/[^\s?#]+$/, 'the address of the tokens\' issuer, beginning with https://'],
  jwtAudience: [/^[^\s,]+(\s*,\s*[^\s,]+)*$/, 'the audience that tokens must name, or several with commas between'],
  batchBuckets: [new RegExp(`^${BUCKET}(,${BUCKET})*$`), 'names of buckets with commas between, without s3://'],
  batchOutput: [new RegExp(`^${BUCKET}/[\\w!.'()-]+(/[\\w!.'()-]+)*$`), 'bucket/prefix, without s3:// and without a slash at the end'],
};
// [least, most, whole number?]: AWS's own limits, but for answerMaxBytes, which Lambda's 6 MB of base64 leave.
const NUMBERS = {
  memory: [128, 10240, true], workerMemory: [128, 10240, true], batchMemory: [128, 10240, true],
  concurrency: [1, 100000, true], workerConcurrency: [2, 1000, true], batchConcurrency: [1, 10000, true],
  throttleRate: [0.1, 10000, false], throttleBurst: [1, 5000, true], uploadRate: [0.1, 10000, false],
  answerMaxBytes: [10000, 4650000, true], photoMaxBytes: [10000, 5000000000, true],
  photoDays: [1, 3650, true], linkSeconds: [1, 43200, true], budgetUsd: [0.01, 1000000000, false],
};
// CloudWatch keeps logs for one of these, and refuses what lies between.
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const OPTIONAL_NUMBERS = ['concurrency', 'budgetUsd'];

/** A value as it was written -> a number where the parameter is one, within its limits. Throws DeployError. */
export function numbered(name, value, fallback) {
  const optional = OPTIONAL_NUMBERS.includes(name);
  if ((typeof fallback !== 'number' && !optional) || (value === 'none' && optional)) return value;
  const [least, most, whole] = NUMBERS[name] ?? [LOG_DAYS[0], LOG_DAYS.at(-1), true];
  const written = String(value ?? '').trim();
  const fits = /^\d+(\.\d+)?$/.test(written) && Number(written) >= least && Number(written) <= most && (!whole || Number.isInteger(Number(written)));
  if (!fits) throw new DeployError(`${name} is ${value}: give a ${whole ? 'whole ' : ''}number from ${least} to ${most}${optional ? ', or none' : ''}`);
  if (name === 'logDays' && !LOG_DAYS.includes(Number(written))) throw new DeployError(`logDays is ${value}: CloudWatch keeps logs for ${LOG_DAYS.join(', ')} days`);
  return Number(written);
}

/** The values that are not numbers, and what goes together. Throws DeployError. */
export function checkParameters(params) {
  for (const [name, values] of Object.entries(ONE_OF)) {
    if (!values.includes(params[name])) throw new DeployError(`${name} is ${params[name]}: give ${values.join(' or ')}`);
  }
  for (const [name, [pattern, words]] of Object.entries(PATTERNS)) {
    if (params[name] !== 'none' && !pattern.test(params[name])) throw new DeployError(`${name} is ${params[name]}: give ${words}`);
  }
  if (params.domain !== 'none' && params.website !== 'cloudfront') {
    throw new DeployError(`domain needs website=cloudfront, and it is ${params.website}: give domain=none too, or keep CloudFront`);
  }
  if (params.domain !== 'none' && params.domain === params.apiDomain) throw new DeployError(`domain and apiDomain are both ${params.domain}: the website and the API need a name each`);
  if (params.budgetUsd !== 'none' && params.alarmEmail === 'none') throw new DeployError('budgetUsd needs alarmEmail: the address that its mail goes to; or give budgetUsd=none');
  allowedOrigins(params.corsOrigins, params.website, params.domain);
  mailSubscription(params.alarmEmail);
}

/** A certificate serves an API in its own region alone. */
export function checkRegion(params, region) {
  const of = params.apiCertificateArn.split(':')[3];
  if (params.apiDomain !== 'none' && of !== region) throw new DeployError(`apiCertificateArn is of ${of}, and the stack is in ${region}: make a certificate there`);
}
