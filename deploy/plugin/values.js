// Values of serverless.yml that need a little computing: ${file(deploy/plugin/values.js):NAME} calls NAME here.
// They never throw: osls would bury the reason in a stack trace. The plugin checks the same parameters first.

import path from 'node:path';

import { DeployError, FIRST_MODEL, readModel } from './model.js';

export const WEBSITES = ['cloudfront', 's3', 'none'];
export const AUTHS = ['none', 'key', 'jwt'];

const WEBSITE_ORIGIN = {
  cloudfront: { 'Fn::Sub': 'https://${Cdn.DomainName}' },
  s3: { 'Fn::Sub': 'http://${SiteBucket}.s3-website-${AWS::Region}.${AWS::URLSuffix}' },
};

/** The origins whose pages may call the API: the text of the parameter -> a list for CloudFormation. */
export function allowedOrigins(corsOrigins, website, domain = 'none') {
  if (corsOrigins === 'site') {
    if (domain !== 'none') return [`https://${domain}`];
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

/** A monthly budget of the account that writes to alarmEmail at 80 % and 100 % spent, and at 100 % foreseen. */
export function budget(usd, address) {
  if (usd === 'none') return {};
  const mail = (NotificationType, Threshold) => ({
    Notification: { NotificationType, ComparisonOperator: 'GREATER_THAN', Threshold, ThresholdType: 'PERCENTAGE' },
    Subscribers: [{ SubscriptionType: 'EMAIL', Address: address }],
  });
  const Properties = {
    Budget: {
      BudgetName: { 'Fn::Sub': '${AWS::StackName}-${AWS::Region}' },
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: usd, Unit: 'USD' },
    },
    NotificationsWithSubscribers: [mail('ACTUAL', 80), mail('ACTUAL', 100), mail('FORECASTED', 100)],
  };
  return { Budget: { Type: 'AWS::Budgets::Budget', Properties } };
}

/** What CloudFront shows at: its own address, or `domain` with its certificate. */
export function viewer({ domain, certificateArn }) {
  if (domain === 'none') return { aliases: { Ref: 'AWS::NoValue' }, certificate: { CloudFrontDefaultCertificate: true } };
  const certificate = { AcmCertificateArn: certificateArn, MinimumProtocolVersion: 'TLSv1.2_2025', SslSupportMethod: 'sni-only' };
  return { aliases: [domain], certificate };
}

/** The API under `apiDomain`, and where that domain's DNS record must point. */
export function apiDomain({ apiDomain: name, apiCertificateArn }) {
  if (name === 'none') return { resources: {}, outputs: {} };
  const configuration = { CertificateArn: apiCertificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' };
  return {
    resources: {
      ApiDomain: {
        Type: 'AWS::ApiGatewayV2::DomainName',
        Properties: { DomainName: name, DomainNameConfigurations: [configuration] },
      },
      ApiDomainMapping: {
        Type: 'AWS::ApiGatewayV2::ApiMapping',
        DependsOn: 'HttpApiStage',
        Properties: { ApiId: { Ref: 'HttpApi' }, DomainName: { Ref: 'ApiDomain' }, Stage: '$default' },
      },
    },
    outputs: {
      ApiDomainTarget: {
        Description: `Give ${name} a CNAME (in Route 53 an alias) to this`,
        Value: { 'Fn::GetAtt': ['ApiDomain', 'RegionalDomainName'] },
      },
    },
  };
}

/** The tokens that the HTTP API itself checks, and the routes that want one. Keys are checked by the handler. */
export function authorizer({ auth, jwtIssuer, jwtAudience }) {
  if (auth !== 'jwt') return {};
  const Properties = {
    ApiId: { Ref: 'HttpApi' },
    Name: 'tokens',
    AuthorizerType: 'JWT',
    IdentitySource: ['$request.header.Authorization'],
    JwtConfiguration: { Issuer: jwtIssuer, Audience: String(jwtAudience).split(',').map((one) => one.trim()) },
  };
  return { Tokens: { Type: 'AWS::ApiGatewayV2::Authorizer', Properties } };
}

async function orElse(fallback, compute) {
  try {
    return await compute();
  } catch (error) {
    if (error instanceof DeployError) return fallback;
    throw error;
  }
}

// Resolved by osls's own `file` source, so the parameters are read once.
const given = ({ resolveVariable }) => resolveVariable('file(deploy/plugin/parameters.js):parameters');

const model = async (context) => {
  const { model: named } = await given(context);
  return readModel(path.resolve(named === 'deployed' ? FIRST_MODEL : named));
};

export const modelKey = (context) => orElse('models/unknown/pose.json', async () => (await model(context)).key);

export const modelPrefix = (context) => orElse('models/unknown/', async () => (await model(context)).prefix);

export const origins = (context) =>
  orElse([], async () => {
    const { corsOrigins, website, domain } = await given(context);
    return allowedOrigins(corsOrigins, website, domain);
  });

export const originsText = async (context) => ({ 'Fn::Join': [',', await origins(context)] });

export const alarmSubscription = (context) => orElse({}, async () => mailSubscription((await given(context)).alarmEmail));

export const budgetAlarm = async (context) => {
  const { budgetUsd, alarmEmail } = await given(context);
  return budget(budgetUsd, alarmEmail);
};

export const viewerAliases = async (context) => viewer(await given(context)).aliases;

export const viewerCertificate = async (context) => viewer(await given(context)).certificate;

export const apiDomainResources = async (context) => apiDomain(await given(context)).resources;

export const apiDomainOutputs = async (context) => apiDomain(await given(context)).outputs;

export const tokens = async (context) => authorizer(await given(context));

export const routeAuthorization = async (context) => {
  const { auth } = await given(context);
  return auth === 'jwt' ? { AuthorizationType: 'JWT', AuthorizerId: { Ref: 'Tokens' } } : {};
};

/** Which file of deploy/resources/ has the batches. */
export const batchFile = async (context) => ((await given(context)).batchBuckets === 'none' ? 'nothing' : 'batch');

/** What the batches may read: every object of these buckets. */
export const batchObjects = async (context) => batchArns(await given(context), '/*');

export const batchBuckets = async (context) => batchArns(await given(context), '');

const batchArns = (params, suffix) =>
  String(params.batchBuckets).split(',').map((bucket) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:s3:::${bucket}${suffix}` }));

/** The website's address, and the API's: their own domains, else AWS's. */
export const websiteUrl = async (context) => {
  const { domain } = await given(context);
  return domain === 'none' ? { 'Fn::Sub': 'https://${Cdn.DomainName}' } : `https://${domain}`;
};

export const apiUrl = async (context) => {
  const { apiDomain: name } = await given(context);
  return name === 'none' ? { 'Fn::Sub': 'https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}' } : `https://${name}`;
};

/** The API's own domain for the page's Content-Security-Policy; its first address is allowed there anyway. */
export const apiDomainSource = async (context) => {
  const { apiDomain: name } = await given(context);
  return name === 'none' ? '' : ` https://${name}`;
};
