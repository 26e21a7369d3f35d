// What the deployed stack was told to be, read from its own template: a choice stays until it is told otherwise.

import { isDeepStrictEqual } from 'node:util';

import { GetTemplateCommand } from '@aws-sdk/client-cloudformation';

import { allowedOrigins } from './values.js';

/** The template of the stack as it is now; null if there is no such stack. */
export async function deployedTemplate(cloudFormation, StackName) {
  try {
    const { TemplateBody } = await cloudFormation.send(new GetTemplateCommand({ StackName }));
    return JSON.parse(TemplateBody);
  } catch (error) {
    if (error.name === 'ValidationError' && /does not exist/.test(error.message)) return null;
    throw error;
  }
}

const of = (template, id) => template.Resources?.[id]?.Properties;
const output = (template, id) => template.Outputs?.[id]?.Value;
const variable = (template, name) => of(template, 'ApiLambdaFunction')?.Environment?.Variables?.[name];

function authOf(template) {
  if (variable(template, 'HPE_KEYS_TABLE')) return 'key';
  return of(template, 'Tokens') ? 'jwt' : 'none';
}

function websiteOf(template) {
  if (!of(template, 'SiteBucket')) return 'none';
  return of(template, 'Cdn') ? 'cloudfront' : 's3';
}

function originsOf(template) {
  const origins = of(template, 'HttpApi')?.CorsConfiguration?.AllowOrigins;
  const own = allowedOrigins('site', websiteOf(template), domainOf(template));
  return isDeepStrictEqual(origins, own) ? 'site' : origins?.join(',');
}

const cdn = (template) => of(template, 'Cdn')?.DistributionConfig;
const domainOf = (template) => (Array.isArray(cdn(template)?.Aliases) ? cdn(template).Aliases[0] : 'none');
const workerSource = (template) => Object.values(template.Resources ?? {}).find(({ Type, Properties }) => Type === 'AWS::Lambda::EventSourceMapping' && JSON.stringify(Properties.EventSourceArn).includes('PhotoQueue'));

// Where each parameter of deploy/parameters.yml shows; a test packages all of them and reads them back.
const SHOWN = {
  prefix: (template, stage) => of(template, 'ModelBucket')?.BucketName?.['Fn::Sub']?.split(`-${stage}-models-`)[0],
  architecture: (template) => of(template, 'ApiLambdaFunction')?.Architectures?.[0],
  runtime: (template) => of(template, 'ApiLambdaFunction')?.Runtime,
  memory: (template) => of(template, 'ApiLambdaFunction')?.MemorySize,
  workerMemory: (template) => of(template, 'WorkerLambdaFunction')?.MemorySize,
  concurrency: (template) => of(template, 'ApiLambdaFunction')?.ReservedConcurrentExecutions ?? 'none',
  workerConcurrency: (template) => workerSource(template)?.Properties.ScalingConfig?.MaximumConcurrency,
  throttleRate: (template) => of(template, 'HttpApiStage')?.DefaultRouteSettings?.ThrottlingRateLimit,
  throttleBurst: (template) => of(template, 'HttpApiStage')?.DefaultRouteSettings?.ThrottlingBurstLimit,
  uploadRate: (template) => of(template, 'HttpApiStage')?.RouteSettings?.['POST /uploads']?.ThrottlingRateLimit,
  answerMaxBytes: (template) => number(variable(template, 'HPE_MAX_RESPONSE_BYTES')),
  photoMaxBytes: (template) => number(variable(template, 'HPE_MAX_UPLOAD_BYTES')),
  linkSeconds: (template) => number(variable(template, 'HPE_PHOTO_LINK_S')),
  photoDays: (template) => of(template, 'PhotoBucket')?.LifecycleConfiguration?.Rules?.find(({ ExpirationInDays }) => ExpirationInDays)?.ExpirationInDays,
  logDays: (template) => of(template, 'ApiLogGroup')?.RetentionInDays,
  website: websiteOf,
  domain: domainOf,
  certificateArn: (template) => cdn(template)?.ViewerCertificate?.AcmCertificateArn,
  apiDomain: (template) => of(template, 'ApiDomain')?.DomainName,
  apiCertificateArn: (template) => of(template, 'ApiDomain')?.DomainNameConfigurations?.[0]?.CertificateArn,
  corsOrigins: originsOf,
  auth: authOf,
  jwtIssuer: (template) => of(template, 'Tokens')?.JwtConfiguration?.Issuer,
  jwtAudience: (template) => of(template, 'Tokens')?.JwtConfiguration?.Audience?.join(','),
  alarmEmail: (template) => of(template, 'AlarmMail')?.Endpoint,
  budgetUsd: (template) => number(of(template, 'Budget')?.Budget?.BudgetLimit?.Amount),
  batchBuckets: (template) => output(template, 'BatchBuckets'),
  batchOutput: (template) => output(template, 'BatchOutput')?.replace('s3://', ''),
  batchMemory: (template) => of(template, 'BatchLambdaFunction')?.MemorySize,
  batchConcurrency: (template) => number(output(template, 'BatchConcurrency')),
};

const number = (value) => (value === undefined ? undefined : Number(value));

/**
 * A stack's template -> {parameter: value}, without those that do not show in it. `model` is kept by the plugin. Nothing
 * of a stack whose first deploy failed: it has only the bucket that osls deploys from.
 */
export function choicesOf(template, stage) {
  if (!of(template, 'ApiLambdaFunction')) return {};
  const shown = Object.entries(SHOWN).map(([name, read]) => [name, read(template, stage)]);
  return Object.fromEntries(shown.filter(([, value]) => value !== undefined && value !== null));
}
