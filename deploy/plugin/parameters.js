// deploy/parameters.yml, deploy/stages/STAGE.yml and --param=NAME=VALUE -> the parameters, checked.
// serverless.yml reads them as ${self:custom.params.NAME}. What is wrong with them is kept as `problem`, since osls
// would bury an exception in a stack trace; the plugin says it first of all.

import { DeployError } from './model.js';
import { allowedOrigins, AUTHS, mailSubscription, WEBSITES } from './values.js';

const ONE_OF = { website: WEBSITES, auth: AUTHS, architecture: ['arm64', 'x86_64'] };
const TOGETHER = [
  ['domain', 'certificateArn'], ['apiDomain', 'apiCertificateArn'], ['jwtIssuer', 'jwtAudience'], ['batchBuckets', 'batchOutput'],
];
const PATTERNS = {
  domain: [/^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z]{2,}$/, 'a host name, like pose.example.org'],
  apiDomain: [/^(?=.{4,253}$)([a-z0-9-]+\.)+[a-z]{2,}$/, 'a host name, like api.example.org'],
  certificateArn: [/^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate\/.+$/, "the ARN of a certificate in us-east-1, as CloudFront requires"],
  apiCertificateArn: [/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/.+$/, "the ARN of a certificate in the stack's region"],
  jwtIssuer: [/^https:\/\/[^\s?#]+$/, 'the address of the tokens\' issuer, beginning with https://'],
  runtime: [/^python3\.\d+$/, "one of Lambda's Pythons, like python3.13"],
  batchBuckets: [/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](,[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])*$/, 'names of buckets with commas between, without s3://'],
  batchOutput: [/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/[\w!.'()-]+(\/[\w!.'()-]+)*$/, 'bucket/prefix, without s3:// and without a slash at the end'],
};
const OPTIONAL_NUMBERS = ['concurrency', 'budgetUsd'];

/** ["memory=3008", ...] -> {memory: "3008"}; osls has checked that each has a `=`. */
function fromCommandLine(given) {
  return Object.fromEntries((given ?? []).map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1).trimEnd()]));
}

function numbered(name, value, fallback) {
  const isNumber = typeof fallback === 'number' || OPTIONAL_NUMBERS.includes(name);
  if (!isNumber || (value === 'none' && OPTIONAL_NUMBERS.includes(name))) return value;
  const number = Number(value);
  const orNone = OPTIONAL_NUMBERS.includes(name) ? ', or none' : '';
  if (value === '' || value === null || !(number > 0)) throw new DeployError(`${name} is ${value}: give a number above 0${orNone}`);
  return number;
}

function check(params) {
  for (const [name, values] of Object.entries(ONE_OF)) {
    if (!values.includes(params[name])) throw new DeployError(`${name} is ${params[name]}: give ${values.join(' or ')}`);
  }
  for (const [name, [pattern, words]] of Object.entries(PATTERNS)) {
    if (params[name] !== 'none' && !pattern.test(params[name])) throw new DeployError(`${name} is ${params[name]}: give ${words}`);
  }
  for (const [one, other] of TOGETHER) {
    if ((params[one] === 'none') !== (params[other] === 'none')) throw new DeployError(`${one} and ${other} belong together: give both or neither`);
  }
  if (params.domain !== 'none' && params.website !== 'cloudfront') throw new DeployError(`domain needs website=cloudfront, and it is ${params.website}`);
  if (params.auth === 'jwt' && params.jwtIssuer === 'none') throw new DeployError('auth=jwt needs jwtIssuer and jwtAudience: who signs the tokens, and for whom');
  if (params.budgetUsd !== 'none' && params.alarmEmail === 'none') throw new DeployError('budgetUsd needs alarmEmail: the address that its mail goes to');
  if (params.linkSeconds > 43200) throw new DeployError(`linkSeconds is ${params.linkSeconds}: a role's links are good for 43200 at most`);
  allowedOrigins(params.corsOrigins, params.website, params.domain);
  mailSubscription(params.alarmEmail);
}

/** Defaults, a stage's file and the command line's words -> every parameter. Throws DeployError. */
export function merged(defaults, ofStage, words, stage) {
  const params = { ...defaults };
  for (const [where, given] of [[`deploy/stages/${stage}.yml`, ofStage ?? {}], ['--param', fromCommandLine(words)]]) {
    for (const [name, value] of Object.entries(given)) {
      if (!(name in defaults)) throw new DeployError(`${where} has ${name}, which is not a parameter: there are ${Object.keys(defaults).join(', ')}`);
      params[name] = numbered(name, value, defaults[name]);
    }
  }
  check(params);
  return params;
}

export const parameters = async ({ options, resolveVariable }) => {
  const stage = await resolveVariable("opt:stage, 'dev'");
  const defaults = await resolveVariable('file(deploy/parameters.yml)');
  const ofStage = /^[\w-]+$/.test(stage) ? await resolveVariable(`file(deploy/stages/${stage}.yml), null`) : null;
  try {
    return { ...merged(defaults, ofStage, options.param, stage), problem: '' };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { ...defaults, problem: error.message };
  }
};
