// What `serverless deploy` and `serverless remove` do beyond CloudFormation, on osls's hooks and AWS SDK v3:
// check first, build the package, upload model and website, tell the CDN, empty the buckets.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

import { CloudFormationClient, DescribeStackResourcesCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';

import { emptyBucket } from './buckets.js';
import { choicesOf, deployedTemplate } from './deployed.js';
import { checkPackage, checkRollback, templateAt } from './guard.js';
import { checkTable, deleteTable } from './keys.js';
import { checkRegion } from './limits.js';
import { DeployError, FIRST_MODEL, placeOf, readModel, withModel } from './model.js';
import { checkBucketNames, checkConcurrency, checkCredentials, checkNames, findPython } from './preflight.js';
import { siteFiles, syncSite } from './site.js';

const run = promisify(execFile);
const OUR_BUCKETS = ['ModelBucket', 'PhotoBucket', 'SiteBucket'];

export default class HpePlugin {
  constructor(serverless, options, { log }) {
    this.serverless = serverless;
    this.provider = serverless.getProvider('aws');
    this.options = options;
    this.log = log;
    this.configurationVariablesSources = { deployed: { resolve: async () => ({ value: await this.deployedChoices() }) } };
    this.hooks = Object.fromEntries(
      Object.entries({
        // Variables are resolved by now, and nothing has read the functions yet.
        initialize: () => this.shapeFunctions(),
        'before:package:cleanup': () => this.check(),
        'before:deploy:deploy': () => this.check(), // with --package nothing is packaged, so it comes first here
        'before:package:createDeploymentArtifacts': () => this.buildPackage(),
        'before:aws:deploy:deploy:createStack': () => this.nameModel(),
        'before:aws:deploy:deploy:updateStack': () => this.uploadModelBefore(),
        'after:deploy:deploy': () => this.fill(),
        'before:rollback:rollback': () => this.checkRollback(),
        'before:remove:remove': () => this.empty(),
        'after:remove:remove': () => this.forgetKeys(),
      }).map(([name, step]) => [name, () => this.plainly(step)]),
    );
  }

  /** A DeployError, as osls prints its own: one line, no stack trace. */
  async plainly(step) {
    try {
      await step();
    } catch (error) {
      if (error instanceof DeployError) throw new this.serverless.classes.Error(error.message, 'HPE_DEPLOY');
      throw error;
    }
  }

  get service() {
    return this.serverless.service;
  }

  /** As this command was told; with --package osls puts the package's own over `custom` later. */
  param(name) {
    return (this.params ?? this.service.custom.params)[name];
  }

  get command() {
    return this.serverless.processedInput.commands.join(' ');
  }

  /** What YAML cannot say: a reserved concurrency or none, a table of keys or none, batches or none. */
  shapeFunctions() {
    this.params = this.service.custom.params;
    const { functions } = this.service;
    if (this.param('concurrency') !== 'none') functions.api.reservedConcurrency = this.param('concurrency');
    if (this.param('auth') === 'key') functions.api.environment = { HPE_KEYS_TABLE: { Ref: 'KeysTable' } };
    if (this.param('batchBuckets') === 'none') delete functions.batch;
  }

  /** The manifest of the model to deploy. */
  modelFile() {
    const named = this.param('model');
    return path.resolve(this.serverless.serviceDir, named === 'deployed' ? FIRST_MODEL : named);
  }

  async client(Client) {
    return new Client(await this.provider.getAwsSdkV3Config());
  }

  get stackName() {
    return this.provider.naming.getStackName();
  }

  /** What the stack was told to be, for `${deployed:choices}`; nothing while there is no stack. A package is made without AWS. */
  async deployedChoices() {
    if (/^(package|print)\b/.test(this.command)) return {};
    try {
      this.template ??= await deployedTemplate(await this.client(CloudFormationClient), this.stackName);
    } catch (error) {
      this.unread = error; // `check` says it, once it knows that the credentials are good
    }
    return this.template ? choicesOf(this.template, this.provider.getStage()) : {};
  }

  /** Logical id -> physical id of the stack's resources; empty where there is no stack yet. */
  async stackResources() {
    try {
      const cloudFormation = await this.client(CloudFormationClient);
      const answer = await cloudFormation.send(new DescribeStackResourcesCommand({ StackName: this.stackName }));
      const made = answer.StackResources.filter(({ PhysicalResourceId }) => PhysicalResourceId);
      return new Map(made.map((one) => [one.LogicalResourceId, one.PhysicalResourceId]));
    } catch (error) {
      if (error.name === 'ValidationError' && /does not exist/.test(error.message)) return new Map();
      throw error;
    }
  }

  async stackOutputs() {
    const cloudFormation = await this.client(CloudFormationClient);
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: this.stackName }));
    return Object.fromEntries((Stacks[0].Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  }

  /** Everything that can be known before anything is made. */
  async check() {
    if (this.model) return;
    const stage = this.provider.getStage();
    const region = this.provider.getRegion();
    if (this.param('problem')) throw new DeployError(this.param('problem'));
    checkNames(this.param('prefix'), stage, region);
    checkRegion(this.params, region);
    const named = this.param('model');
    this.model = await readModel(this.modelFile());
    this.python = await findPython();
    if (!this.command.startsWith('deploy')) return;
    const account = await checkCredentials(await this.client(STSClient), region);
    if (this.unread) throw new DeployError(`what the stack ${this.stackName} has cannot be read, and would be lost (${this.unread.name}: ${this.unread.message.split('\n')[0]})`);
    const resources = await this.stackResources();
    const owned = new Set(OUR_BUCKETS.map((id) => resources.get(id)).filter(Boolean));
    if (await checkTable(await this.client(DynamoDBClient), `${this.stackName}-keys`, resources.has('KeysTable'))) {
      this.log.notice('An empty table of keys, of a deploy that failed, was deleted');
    }
    const kinds = this.param('website') === 'none' ? ['models', 'photos'] : ['models', 'photos', 'site'];
    const names = kinds.map((kind) => `${this.param('prefix')}-${stage}-${kind}-${account}-${region}`);
    await checkBucketNames(await this.client(S3Client), names, owned);
    const reserved = resources.has('ApiLambdaFunction') ? Number(this.param('concurrency')) || 0 : 0;
    await checkConcurrency(await this.provider.getAwsSdkV3Config(), this.param('concurrency'), reserved);
    if (this.param('kept')) this.log.notice(this.param('kept'));
    if (named === 'deployed' && resources.has('ModelBucket')) await this.keepModel(resources.get('ModelBucket'));
    if (this.param('auth') === 'none') this.log.notice('auth=none: anyone who knows the address may use the API, at your cost, within its throttle');
  }

  /** The model that the stack has stays, whatever the checkout holds, unless one is named. */
  async keepModel(bucket) {
    const { ModelKey } = await this.stackOutputs();
    if (!ModelKey || ModelKey === this.model.key) return;
    try {
      await (await this.client(S3Client)).send(new HeadObjectCommand({ Bucket: bucket, Key: ModelKey }));
    } catch (error) {
      if (error.$metadata?.httpStatusCode !== 404) throw error;
      throw new DeployError(`the deployed model ${ModelKey} is gone from ${bucket}: name one with --param=model=${FIRST_MODEL}`);
    }
    this.kept = ModelKey;
    this.log.notice(`The deployed model stays: ${ModelKey}. This checkout has ${this.model.name}: --param=model=${FIRST_MODEL} deploys it`);
  }

  /** The package names the checkout's model; what is deployed names the one that stays. */
  nameModel() {
    checkPackage(this.params, this.service.custom.params); // osls has read the package's by now
    if (!this.kept) return;
    const { provider } = this.service;
    provider.compiledCloudFormationTemplate = withModel(provider.compiledCloudFormationTemplate, this.model, placeOf(this.kept));
  }

  async buildPackage() {
    if (process.env.HPE_PACKAGE_ZIP) { // built and checked elsewhere
      this.service.package.artifact = path.resolve(process.env.HPE_PACKAGE_ZIP);
      return;
    }
    const architecture = this.service.provider.architecture;
    const version = this.service.provider.runtime.replace('python', '');
    const script = path.join(this.serverless.serviceDir, 'deploy', 'build_package.py');
    const output = path.join(this.serverless.serviceDir, this.service.package.artifact);
    try {
      const { stdout } = await run(this.python, [script, '--architecture', architecture, '--python', version, '--output', output]);
      this.log.notice(stdout.trim());
    } catch (error) {
      throw new DeployError((error.stderr || error.message).trim().split('\n').pop());
    }
  }

  async uploadModel(bucket) {
    if (this.kept) return;
    const s3 = await this.client(S3Client);
    for (const [Key, Body, ContentType] of this.model.files) {
      try {
        const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));
        if (head.ContentLength === Body.length) continue;
      } catch (error) {
        if (error.$metadata?.httpStatusCode !== 404) throw error;
      }
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType }));
      this.log.notice(`Model uploaded to s3://${bucket}/${Key}`);
    }
  }

  /** An update points the functions at the new key, so the model must be there first. */
  async uploadModelBefore() {
    const bucket = (await this.stackResources()).get('ModelBucket');
    if (bucket) await this.uploadModel(bucket);
  }

  /** Model (on a first deploy the bucket is there only now), website, CDN. */
  async fill() {
    const outputs = await this.stackOutputs();
    await this.uploadModel(outputs.ModelBucketName);
    if (outputs.SiteBucketName) await this.uploadSite(outputs);
    const shown = ['WebsiteUrl', 'ApiUrl', 'SiteDomainTarget', 'ApiDomainTarget'].filter((name) => outputs[name]).map((name) => `${name}: ${outputs[name]}`);
    this.serverless.addServiceOutputSection('hpe', shown);
  }

  async uploadSite({ SiteBucketName, CdnId, ApiUrl, WebsiteUrl }) {
    const files = await siteFiles(this.serverless.serviceDir, {
      apiUrl: ApiUrl, auth: this.param('auth'), photoDays: Number(this.param('photoDays')), model: this.modelFile(), siteUrl: WebsiteUrl,
    });
    const changed = await syncSite(await this.client(S3Client), SiteBucketName, files);
    this.log.notice(`Website: ${changed.length} of ${files.size} files changed`);
    if (!changed.length || !CdnId) return;
    const cloudFront = await this.client(CloudFrontClient);
    const InvalidationBatch = { CallerReference: `hpe-${Date.now()}`, Paths: { Quantity: 1, Items: ['/*'] } };
    await cloudFront.send(new CreateInvalidationCommand({ DistributionId: CdnId, InvalidationBatch }));
  }

  async empty() {
    const resources = await this.stackResources();
    const s3 = await this.client(S3Client);
    for (const bucket of OUR_BUCKETS.map((id) => resources.get(id)).filter(Boolean)) {
      const count = await emptyBucket(s3, bucket);
      this.log.notice(`Emptied ${bucket}: ${count} objects`);
    }
  }

  /** The keys outlive a stack that is lost, not one that is removed on purpose. */
  async forgetKeys() {
    const table = `${this.stackName}-keys`;
    if (await deleteTable(await this.client(DynamoDBClient), table)) this.log.notice(`Deleted the table of keys ${table}`);
  }

  async checkRollback() {
    const { timestamp, param } = this.options;
    if (!timestamp || !this.template) return;
    const bucket = await this.provider.getServerlessDeploymentBucketName();
    const prefix = `${this.provider.getDeploymentPrefix()}/${this.service.service}/${this.provider.getStage()}/`;
    const then = await templateAt(await this.client(S3Client), bucket, prefix, timestamp);
    if (then) checkRollback(this.template, then, this.provider.getStage(), param);
  }
}
