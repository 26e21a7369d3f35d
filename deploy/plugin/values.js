// Values of serverless.yml that need a little computing: ${file(deploy/plugin/values.js):NAME} calls NAME here.
// They never throw: osls would bury the reason in a stack trace. The plugin checks the same parameters first.

import path from 'node:path';

import { DeployError, readModel } from './model.js';

export const WEBSITES = ['cloudfront', 's3', 'none'];

const WEBSITE_ORIGIN = {
  cloudfront: { 'Fn::Sub': 'https://${Cdn.DomainName}' },
  s3: { 'Fn::Sub': 'http://${SiteBucket}.s3-website-${AWS::Region}.${AWS::URLSuffix}' },
};

/** The origins whose pages may call the API: the text of the parameter -> a list for CloudFormation. */
export function allowedOrigins(corsOrigins, website) {
  if (corsOrigins === 'site') {
    // Without a website there is no page of ours: no origin is allowed until one is named.
    return [WEBSITE_ORIGIN[website] ?? 'https://none.invalid'];
  }
  const list = String(corsOrigins).split(',').map((origin) => origin.trim()).filter(Boolean);
  for (const origin of list) {
    if (origin !== '*' && !/^https?:\/\/[^/\s]+$/.test(origin)) {
      throw new DeployError(`corsOrigins has ${origin}: an origin is a scheme and a host, like https://www.example.org`);
    }
  }
  if (!list.length) throw new DeployError('corsOrigins is empty: give `site`, `*`, or origins with commas between');
  return list;
}

/** An e-mail subscription to the alarms, or nothing. */
export function mailSubscription(address) {
  if (address === 'none') return {};
  if (!/^[^@\s]+@[^@\s]+$/.test(address)) throw new DeployError(`alarmEmail is ${address}: give an address, or none`);
  const Properties = { TopicArn: { Ref: 'AlarmTopic' }, Protocol: 'email', Endpoint: address };
  return { AlarmMail: { Type: 'AWS::SNS::Subscription', Properties } };
}

async function orElse(fallback, compute) {
  try {
    return await compute();
  } catch (error) {
    if (error instanceof DeployError) return fallback;
    throw error;
  }
}

export const modelKey = ({ resolveVariable }) =>
  orElse('models/unknown.onnx', async () => (await readModel(path.resolve(await resolveVariable('param:model')))).key);

export const manifestKey = ({ resolveVariable }) =>
  orElse('models/unknown.json', async () => (await readModel(path.resolve(await resolveVariable('param:model')))).manifestKey);

export const origins = ({ resolveVariable }) =>
  orElse([], async () => allowedOrigins(await resolveVariable('param:corsOrigins'), await resolveVariable('param:website')));

export const originsText = async (context) => ({ 'Fn::Join': [',', await origins(context)] });

export const alarmSubscription = ({ resolveVariable }) =>
  orElse({}, async () => mailSubscription(await resolveVariable('param:alarmEmail')));
