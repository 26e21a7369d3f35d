// deploy/parameters.yml, what the stack has, deploy/stages/STAGE.yml and --param=NAME=VALUE -> the parameters, checked.
// serverless.yml reads them as ${self:custom.params.NAME}. What is wrong with them is kept as `problem`, since osls
// would bury an exception in a stack trace; the plugin says it first of all.

import { checkParameters, numbered } from './limits.js';
import { DeployError } from './model.js';

// What means nothing without another parameter: [parameter, the other one, what that must be; null for anything given].
const FOLLOWERS = [
  ['certificateArn', 'domain', null], ['apiCertificateArn', 'apiDomain', null],
  ['jwtIssuer', 'auth', 'jwt'], ['jwtAudience', 'auth', 'jwt'],
  ['batchOutput', 'batchBuckets', null], ['batchMemory', 'batchBuckets', null], ['batchConcurrency', 'batchBuckets', null],
];

/** ["memory=3008", ...] -> {memory: "3008"}; osls has checked that each has a `=`. */
function fromCommandLine(given) {
  const found = {};
  for (const one of given ?? []) {
    const name = one.slice(0, one.indexOf('='));
    if (name in found) throw new DeployError(`--param=${name} is given twice: give it once`);
    found[name] = one.slice(one.indexOf('=') + 1).trimEnd();
  }
  return found;
}

/** What this deploy says itself: {parameter: value}. The command line wins over the stage's file. */
function told(defaults, ofStage, words, stage) {
  const found = {};
  for (const [where, given] of [[`deploy/stages/${stage}.yml`, ofStage ?? {}], ['--param', words]]) {
    for (const [name, value] of Object.entries(given)) {
      if (!(name in defaults)) throw new DeployError(`${where} has ${name}, which is not a parameter: there are ${Object.keys(defaults).join(', ')}`);
      found[name] = numbered(name, value, defaults[name]);
    }
  }
  return found;
}

const numbers = (given, defaults) => Object.fromEntries(Object.entries(given).map(([name, value]) => [name, numbered(name, value, defaults[name])]));

/** Drop what was kept for a parameter that is now off; refuse it where this deploy says it itself. */
function checkFollowers(params, said, defaults) {
  for (const [name, leader, wanted] of FOLLOWERS) {
    const on = wanted === null ? params[leader] !== 'none' : params[leader] === wanted;
    if (on && params[name] === 'none') throw new DeployError(`${leader}=${params[leader]} needs ${name}: give both`);
    if (on || params[name] === defaults[name]) continue;
    if (name in said) throw new DeployError(`${name} means nothing without ${leader}${wanted ? `=${wanted}` : ''}, and ${leader} is ${params[leader]}: give both or neither`);
    params[name] = defaults[name];
  }
}

function checkAgainstStack(params, kept, words, stage) {
  if (params.auth === 'none' && (kept.auth ?? 'none') !== 'none' && words.auth !== 'none') {
    throw new DeployError(
      `deploy/stages/${stage}.yml says auth=none, and the API is closed (auth=${kept.auth}): say --param=auth=none on the command line if anyone may call it from now on`,
    );
  }
  if (kept.prefix && params.prefix !== kept.prefix) {
    throw new DeployError(`prefix is ${params.prefix}, and the stack's buckets begin with ${kept.prefix}: a bucket cannot be renamed. Deploy another stage, or remove this one first`);
  }
}

/**
 * Every parameter: the command line's words, else the stage's file, else what the stack has (`kept`), else the default.
 * Throws DeployError.
 */
export function merged(defaults, ofStage, words, stage, kept = {}) {
  const line = fromCommandLine(words);
  const said = told(defaults, ofStage, line, stage);
  const params = { ...defaults, ...numbers(kept, defaults), ...said };
  checkParameters(params);
  checkFollowers(params, said, defaults);
  checkAgainstStack(params, kept, line, stage);
  return params;
}

/** The choices that come from the stack alone, as one line; '' if there are none. */
export function keptLine(params, kept, ofStage, words, defaults) {
  const line = fromCommandLine(words);
  const names = Object.keys(kept).filter((name) => !(name in line) && !(name in (ofStage ?? {})) && params[name] === kept[name] && kept[name] !== defaults[name]);
  if (!names.length) return '';
  return `The stack keeps ${names.map((name) => `${name}=${kept[name]}`).join(', ')}: --param=NAME=VALUE changes one`;
}

export const parameters = async ({ options, resolveVariable }) => {
  const stage = await resolveVariable("opt:stage, 'dev'");
  const defaults = await resolveVariable('file(deploy/parameters.yml)');
  const ofStage = /^[\w-]+$/.test(stage) ? await resolveVariable(`file(deploy/stages/${stage}.yml), null`) : null;
  const kept = await resolveVariable('deployed:choices'); // by the plugin, deploy/plugin/deployed.js
  try {
    const params = merged(defaults, ofStage, options.param, stage, kept);
    return { ...params, kept: keptLine(params, kept, ofStage, options.param, defaults), problem: '' };
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return { ...defaults, kept: '', problem: error.message };
  }
};
