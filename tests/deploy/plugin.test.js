// The plugin's own logic, with S3 played by a small fake that keeps what the SDK's commands say.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';

import { S3Client } from '@aws-sdk/client-s3';

import { emptyBucket } from '../../deploy/plugin/buckets.js';
import { choicesOf } from '../../deploy/plugin/deployed.js';
import { checkPackage, checkRollback, templateAt } from '../../deploy/plugin/guard.js';
import { checkTable } from '../../deploy/plugin/keys.js';
import { checkRegion } from '../../deploy/plugin/limits.js';
import { DeployError, placeOf, readModel, withModel } from '../../deploy/plugin/model.js';
import { keptLine, merged } from '../../deploy/plugin/parameters.js';
import { checkBucketNames, checkCredentials, checkNames, findPython } from '../../deploy/plugin/preflight.js';
import { configScript, headersOf, siteFiles, syncSite } from '../../deploy/plugin/site.js';
import { allowedOrigins, mailSubscription } from '../../deploy/plugin/values.js';

const sha256Of = (body) => createHash('sha256').update(body).digest('hex');
const md5 = (body) => `"${createHash('md5').update(body).digest('hex')}"`;

const DEFAULTS = {
  prefix: 'hpe', website: 'cloudfront', auth: 'none', architecture: 'arm64', runtime: 'python3.13', corsOrigins: 'site', alarmEmail: 'none',
  memory: 1769, concurrency: 10, workerConcurrency: 2, throttleRate: 5, answerMaxBytes: 500000, photoDays: 1, linkSeconds: 300, logDays: 30,
  batchMemory: 1769, batchConcurrency: 100,
  ...Object.fromEntries(['domain', 'certificateArn', 'apiDomain', 'apiCertificateArn', 'jwtIssuer', 'jwtAudience', 'batchBuckets', 'batchOutput', 'budgetUsd'].map((name) => [name, 'none'])),
};
const refused = (words) => (error) => error instanceof DeployError && !error.message.includes('\n') && words.test(error.message);

class FakeS3 extends S3Client {
  constructor() {
    super({ region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
    this.objects = new Map();
    this.sent = [];
    this.pageSize = 2;
  }

  async send(command) {
    const name = command.constructor.name;
    this.sent.push(name);
    return this[name](command.input);
  }

  ListObjectsV2Command({ ContinuationToken }) {
    const keys = [...this.objects.keys()].sort();
    const from = Number(ContinuationToken ?? 0);
    const more = from + this.pageSize < keys.length;
    return {
      Contents: keys.slice(from, from + this.pageSize).map((Key) => ({ Key })),
      IsTruncated: more,
      NextContinuationToken: more ? String(from + this.pageSize) : undefined,
    };
  }

  ListObjectVersionsCommand() {
    if (this.gone) throw Object.assign(new Error('gone'), { name: 'NoSuchBucket' });
    const versions = [...this.objects.keys()].slice(0, this.pageSize).map((Key) => ({ Key, VersionId: 'v1' }));
    return { Versions: versions };
  }

  HeadObjectCommand({ Key }) {
    const { Body, ContentType, CacheControl } = this.objects.get(Key);
    return { ETag: md5(Body), ContentType, CacheControl };
  }

  GetObjectCommand({ Key }) {
    const { Body } = this.objects.get(Key);
    return { Body: { transformToString: async () => Body } };
  }

  PutObjectCommand({ Key, Body, ContentType, CacheControl }) {
    this.objects.set(Key, { Body, ContentType, CacheControl });
  }

  DeleteObjectsCommand({ Delete }) {
    if (this.refuses) return { Errors: [{ Key: Delete.Objects[0].Key, Code: 'AccessDenied' }] };
    for (const { Key } of Delete.Objects) this.objects.delete(Key);
    return {};
  }

  HeadBucketCommand() {
    throw Object.assign(new Error('head'), { $metadata: { httpStatusCode: this.bucketStatus } });
  }
}

describe('model', () => {
  let folder;
  before(async () => { folder = await mkdtemp(path.join(tmpdir(), 'hpe-model-')); });
  after(() => rm(folder, { recursive: true }));

  async function write(name, files, manifest) {
    for (const [file, body] of Object.entries(files)) await writeFile(path.join(folder, file), body);
    if (manifest !== undefined) await writeFile(path.join(folder, `${name}.json`), typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
    return path.join(folder, `${name}.json`);
  }

  const network = (file, body) => ({ file, sha256: sha256Of(body) });

  it('of one network lies under a prefix that carries its manifest\'s sha256', async () => {
    const manifest = JSON.stringify({ name: 'one', ...network('good.onnx', 'weights') });
    const model = await readModel(await write('good', { 'good.onnx': 'weights' }, manifest));
    const prefix = `models/${sha256Of(manifest).slice(0, 16)}/`;
    assert.equal(model.key, `${prefix}good.json`);
    assert.deepEqual(model.files.map(([key]) => key), [`${prefix}good.onnx`, `${prefix}good.json`]);
  });

  it('of two networks is whole under one prefix, its manifest last', async () => {
    const manifest = { schema: 2, name: 'two', locate: network('where.onnx', 'a'), pose: network('joints.onnx', 'b') };
    const model = await readModel(await write('both', { 'where.onnx': 'a', 'joints.onnx': 'b' }, manifest));
    assert.deepEqual(model.files.map(([key]) => path.basename(key)), ['where.onnx', 'joints.onnx', 'both.json']);
    assert.equal(new Set(model.files.map(([key]) => path.dirname(key))).size, 1);
    assert.equal(model.key, `${model.prefix}both.json`);
  });

  it('named by its .onnx file is the same', async () => {
    const manifest = await write('same', { 'same.onnx': 'w' }, { name: 'x', ...network('same.onnx', 'w') });
    assert.deepEqual(await readModel(manifest.replace('.json', '.onnx')), await readModel(manifest));
  });

  it('gets another prefix when its bytes or its thresholds change', async () => {
    const keys = [];
    for (const [body, threshold] of [['a', 0.2], ['b', 0.2], ['b', 0.3]]) {
      keys.push((await readModel(await write('changing', { 'c.onnx': body }, { name: 'x', threshold, ...network('c.onnx', body) }))).key);
    }
    assert.equal(new Set(keys).size, 3);
  });

  it('can be put in another\'s place in a template', () => {
    const [from, to] = [placeOf('models/aaaa/pose.json'), placeOf('models/bbbb/other.json')];
    const template = { model: 's3://b/models/aaaa/pose.json', may: 'arn/models/aaaa/*', else: 'models/cccc/x' };
    assert.deepEqual(withModel(template, from, to), { model: 's3://b/models/bbbb/other.json', may: 'arn/models/bbbb/*', else: 'models/cccc/x' });
  });

  for (const [what, name, files, manifest, words] of [
    ['that does not match its manifest', 'other', { 'o.onnx': 'weights' }, { file: 'o.onnx', sha256: '00' }, /does not match its manifest/],
    ['whose locator is missing', 'half', { 'p.onnx': 'b' }, { locate: { file: 'gone.onnx', sha256: '00' }, pose: { file: 'p.onnx', sha256: '00' } }, /gone.onnx cannot be read \(ENOENT\)/],
    ['without a manifest', 'alone', {}, undefined, /alone.json cannot be read \(ENOENT\)/],
    ['with a manifest that is not JSON', 'broken', {}, '{', /is not JSON/],
    ['whose manifest names no network', 'empty', {}, '{}', /names no network/],
  ]) {
    it(`${what} is refused in one line`, async () => {
      const file = await write(name, files, manifest);
      await assert.rejects(readModel(file), (error) => error instanceof DeployError && words.test(error.message) && !error.message.includes('\n'));
    });
  }

  it('that is absent is refused with what to do', async () => {
    await assert.rejects(readModel(path.join(folder, 'none.onnx')), /--param=model=PATH/);
  });

  it('must be a manifest or .onnx', async () => {
    await assert.rejects(readModel(path.join(folder, 'x.pt')), /neither a manifest \(.json\) nor an .onnx file/);
  });
});

describe('site', () => {
  let root;
  let folder;
  const model = path.resolve('models/pose.json');
  const options = { apiUrl: 'https://api.example', model };
  const OWN = ['app.js', 'config.js', 'fonts/a.woff2', 'index.html', 'private/files.json'];
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'hpe-site-'));
    folder = path.join(root, 'static-site');
    await mkdir(path.join(folder, 'fonts'), { recursive: true });
    await writeFile(path.join(folder, 'index.html'), '<head>\n<script type="module" src="app.js"></script>\n<link rel="modulepreload" href="b.js">\n</head>');
    await writeFile(path.join(folder, 'app.js'), 'import "./b.js"; import("./later.js");');
    await writeFile(path.join(folder, 'b.js'), 'globalThis.b = 1;');
    await writeFile(path.join(folder, 'later.js'), 'globalThis.later = 2;');
    await writeFile(path.join(folder, 'config.js'), 'local');
    await writeFile(path.join(folder, '.hidden.js'), 'no');
    await writeFile(path.join(folder, 'people.pose.png'), 'no');
    await writeFile(path.join(folder, 'fonts', 'a.woff2'), 'f');
  });
  after(() => rm(root, { recursive: true }));

  const names = (files) => [...files.keys()].sort();

  it('has its own config.js, its folders, no hidden file and no result of hpe predict', async () => {
    const files = await siteFiles(root, options);
    assert.deepEqual(names(files), OWN);
    assert.equal(files.get('config.js').toString(), 'window.HPE_CONFIG = {"apiUrl":"https://api.example","uploads":true,"photoDays":1,"auth":"none"};\n');
  });

  it('has one script a page, what comes later included', async () => {
    const files = await siteFiles(root, options);
    assert.match(files.get('app.js').toString(), /globalThis\.b=1/);
    assert.match(files.get('app.js').toString(), /globalThis\.later=2/);
    assert.ok(!files.has('b.js') && !files.has('later.js'));
    assert.ok(!files.get('index.html').toString().includes('b.js'), 'it is asked for no more');
  });

  it('without an API names none', async () => {
    const files = await siteFiles(root, { ...options, apiUrl: null });
    assert.equal(files.get('config.js').toString(), 'window.HPE_CONFIG = {};\n');
  });

  it('says what private mode lacks', async () => {
    const listed = JSON.parse((await siteFiles(root, options)).get('private/files.json'));
    assert.match(listed.missing, /run npm ci/);
    assert.deepEqual(listed.site, OWN.filter((name) => !name.startsWith('private/')));
  });

  it('brings onnxruntime-web and the model for private mode, each with its sha256', { skip: !existsSync('node_modules/onnxruntime-web') && 'npm ci', timeout: 120_000 }, async () => {
    const files = await siteFiles('.', options);
    const listed = JSON.parse(files.get('private/files.json'));
    assert.deepEqual(listed.files.map(({ role }) => role), ['runtime', 'wasm', 'locate', 'pose']);
    for (const { url, sha256, bytes } of listed.files) {
      const body = files.get(url);
      assert.equal(body.length, bytes);
      assert.ok(bytes < 10_000_000, 'CloudFront sends it');
      const content = url.endsWith('.gz') ? gunzipSync(body) : body;
      assert.equal(createHash('sha256').update(content).digest('hex'), sha256, url);
    }
    for (const name of files.keys()) assert.ok(headersOf(name).ContentType, name);
  });

  it('quotes the address of the API', () => {
    assert.ok(!configScript('"</script>', 'none').includes('""'));
  });

  it('refuses a file whose type it does not know', () => {
    assert.throws(() => headersOf('data.bin'), /no content type is known for ".bin"/);
  });

  it('makes browsers ask again for code and keep images for a day', () => {
    assert.equal(headersOf('app.js').CacheControl, 'no-cache');
    assert.match(headersOf('icon.svg').CacheControl, /max-age=86400/);
  });

  it('without index.html is refused', async () => {
    await assert.rejects(siteFiles(folder, options), /index.html|ENOENT/);
  });

  it('is uploaded once, and then only what changed; what is gone is deleted', async () => {
    const s3 = new FakeS3();
    s3.objects.set('old.js', { Body: Buffer.from('old') });
    const files = await siteFiles(root, options);
    assert.deepEqual((await syncSite(s3, 'b', files)).sort(), [...files.keys(), 'old.js'].sort());
    assert.ok(!s3.objects.has('old.js'));
    assert.equal(s3.objects.get('index.html').ContentType, 'text/html; charset=utf-8');
    assert.deepEqual(await syncSite(s3, 'b', files), []);
    files.set('app.js', Buffer.from('y'));
    assert.deepEqual(await syncSite(s3, 'b', files), ['app.js']);
  });

  it('is uploaded again where only its headers differ', async () => {
    const s3 = new FakeS3();
    const files = await siteFiles(root, options);
    await syncSite(s3, 'b', files);
    s3.objects.get('app.js').CacheControl = 'public, max-age=31536000';
    assert.deepEqual(await syncSite(s3, 'b', files), ['app.js']);
  });
});

describe('buckets', () => {
  it('are emptied page by page', async () => {
    const s3 = new FakeS3();
    for (let i = 0; i < 5; i += 1) s3.objects.set(`k${i}`, {});
    assert.equal(await emptyBucket(s3, 'b'), 5);
    assert.equal(s3.objects.size, 0);
  });

  it('that are gone count as empty', async () => {
    const s3 = new FakeS3();
    s3.gone = true;
    assert.equal(await emptyBucket(s3, 'b'), 0);
  });

  it('that cannot be emptied stop the removal', async () => {
    const s3 = new FakeS3();
    s3.objects.set('k', {});
    s3.refuses = true;
    await assert.rejects(emptyBucket(s3, 'b'), /b\/k cannot be deleted \(AccessDenied\)/);
  });

  for (const [status, words] of [[403, /by another account/], [301, /in another region/]]) {
    it(`whose name is taken (${status}) are refused`, async () => {
      const s3 = new FakeS3();
      s3.bucketStatus = status;
      await assert.rejects(checkBucketNames(s3, ['b'], new Set()), words);
    });
  }

  it('of this stack, and free names, are not', async () => {
    const s3 = new FakeS3();
    s3.bucketStatus = 404;
    await checkBucketNames(s3, ['b', 'c'], new Set(['b']));
    assert.deepEqual(s3.sent, ['HeadBucketCommand']);
  });
});

describe('before anything is made', () => {
  it('names must fit into bucket names', () => {
    checkNames('hpe', 'dev');
    for (const [prefix, stage] of [['Hpe', 'dev'], ['hpe', 'My_Stage'], ['hpe', ''], ['a'.repeat(16), 'dev'], ['hpe', '1dev']]) {
      assert.throws(() => checkNames(prefix, stage), DeployError);
    }
  });

  it('refused credentials are said in one line', async () => {
    const sts = { send: async () => { throw Object.assign(new Error('bad\nmore'), { name: 'InvalidClientTokenId' }); } };
    await assert.rejects(checkCredentials(sts, 'eu-central-1'), (error) => /AWS_PROFILE/.test(error.message) && !error.message.includes('\n'));
  });

  it('a region that is none is told from bad credentials', async () => {
    const sts = { send: async () => { throw Object.assign(new Error('x'), { code: 'ENOTFOUND' }); } };
    await assert.rejects(checkCredentials(sts, 'mars-1'), /region "mars-1"/);
  });

  it('a Python that is not there is said, with what to do', async () => {
    await assert.rejects(findPython({ PYTHON: '/nonexistent/python' }), /no \/nonexistent\/python.*install it/);
  });

  it('origins are origins', () => {
    assert.deepEqual(allowedOrigins('https://a.example, https://b.example', 'none'), ['https://a.example', 'https://b.example']);
    assert.deepEqual(allowedOrigins('site', 'cloudfront'), [{ 'Fn::Sub': 'https://${Cdn.DomainName}' }]);
    assert.deepEqual(allowedOrigins('*', 'none'), ['*']);
    for (const bad of ['example.org', 'https://a.example/path', '', ',']) assert.throws(() => allowedOrigins(bad, 'none'), DeployError);
  });

  it('the command line wins over the stage\'s file, and that over the default', () => {
    const params = merged(DEFAULTS, { memory: 2048, logDays: 7 }, ['logDays=14'], 'prod');
    assert.deepEqual([params.memory, params.logDays, params.photoDays], [2048, 14, 1]);
  });

  for (const [words, told] of [
    [['website=ftp'], 'website is ftp: give cloudfront or s3 or none'],
    [['memory=lots'], 'memory is lots: give a whole number from 128 to 10240'],
    [['memory=Infinity'], 'memory is Infinity: give a whole number'],
    [['memory=0x800'], 'memory is 0x800: give a whole number'],
    [['concurrency=all'], 'concurrency is all: give a whole number from 1 to 100000, or none'],
    [['concurrency=0'], 'concurrency is 0: give a whole number'],
    [['workerConcurrency=1'], 'workerConcurrency is 1: give a whole number from 2 to 1000'],
    [['answerMaxBytes=9000000'], 'answerMaxBytes is 9000000: give a whole number from 10000 to 4650000'],
    [['photoDays=1.5'], 'photoDays is 1.5: give a whole number from 1 to 3650'],
    [['linkSeconds=50000'], 'linkSeconds is 50000: give a whole number from 1 to 43200'],
    [['logDays=20'], 'logDays is 20: CloudWatch keeps logs for 1, 3, 5,'],
    [['runtime=python3.9'], 'runtime is python3.9: give python3.11 or'],
    [['memory=2048', 'memory=3008'], '--param=memory is given twice'],
    [['modle=x'], '--param has modle, which is not a parameter: there are prefix, '],
    [['auth=password'], 'auth is password: give none or key or jwt'],
    [['auth=jwt'], 'auth=jwt needs jwtIssuer: give both'],
    [['auth=jwt', 'jwtIssuer=https://i.example'], 'auth=jwt needs jwtAudience: give both'],
    [['jwtIssuer=https://i.example'], 'jwtIssuer means nothing without auth=jwt, and auth is none'],
    [['auth=key', 'jwtAudience=hpe'], 'jwtAudience means nothing without auth=jwt, and auth is key'],
    [['domain=pose.example.org'], 'domain=pose.example.org needs certificateArn: give both'],
    [['certificateArn=arn:aws:acm:us-east-1:123456789012:certificate/a'], 'certificateArn means nothing without domain'],
    [['domain=-a.example.org'], 'domain is -a.example.org: give a host name'],
    [['batchBuckets=s3://photos'], 'batchBuckets is s3://photos: give names of buckets'],
    [['batchBuckets=photos'], 'batchBuckets=photos needs batchOutput: give both'],
    [['batchConcurrency=5'], 'batchConcurrency means nothing without batchBuckets'],
    [['budgetUsd=100'], 'budgetUsd needs alarmEmail'],
    [['corsOrigins=example.org'], 'corsOrigins has example.org'],
    [['alarmEmail=me'], 'alarmEmail is me: give an address, or none'],
  ]) {
    it(`${words} is refused in one line`, () => {
      assert.throws(() => merged(DEFAULTS, {}, words, 'dev'), (error) => refused(/./)(error) && error.message.startsWith(told));
    });
  }

  it('a certificate of another region is refused', () => {
    const params = { apiDomain: 'api.example.org', apiCertificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/a' };
    checkRegion(params, 'eu-west-1');
    assert.throws(() => checkRegion(params, 'us-east-1'), refused(/apiCertificateArn is of eu-west-1, and the stack is in us-east-1/));
  });

  it('prefix, stage and region must fit into a bucket\'s name together', () => {
    checkNames('a'.repeat(15), 'b'.repeat(12), 'ap-southeast-1');
    assert.throws(() => checkNames('a'.repeat(15), 'b'.repeat(15), 'ap-southeast-1'), refused(/too long for the name of a bucket in ap-southeast-1: use at most 27/));
  });

  it('an alarm address is an address', () => {
    assert.deepEqual(mailSubscription('none'), {});
    assert.equal(mailSubscription('a@b.example').AlarmMail.Properties.Endpoint, 'a@b.example');
    assert.throws(() => mailSubscription('me'), /give an address, or none/);
  });
});

describe('a stack that is there', () => {
  it('whose first deploy failed has chosen nothing yet', () => {
    assert.deepEqual(choicesOf({ Resources: { ServerlessDeploymentBucket: { Type: 'AWS::S3::Bucket' } } }, 'dev'), {});
  });

  it('may take the place of an empty table that a failed deploy left', async () => {
    const sent = [];
    const dynamo = {
      config: {},
      send: async (command) => {
        sent.push(command.constructor.name);
        if (sent.includes('DeleteTableCommand') && command.constructor.name !== 'DeleteTableCommand') throw Object.assign(new Error('x'), { name: 'ResourceNotFoundException' });
        return { Items: [] };
      },
    };
    assert.equal(await checkTable(dynamo, 'hpe-dev-keys', false), true);
    assert.deepEqual(sent.slice(0, 2), ['ScanCommand', 'DeleteTableCommand']);
  });

  const CLOSED = { auth: 'key', batchBuckets: 'photos', batchOutput: 'poses/run', logDays: 14 };

  it('keeps what this deploy does not name, and says so', () => {
    const params = merged(DEFAULTS, { memory: 2048 }, ['photoDays=7'], 'dev', CLOSED);
    assert.deepEqual([params.auth, params.batchBuckets, params.logDays, params.memory, params.photoDays], ['key', 'photos', 14, 2048, 7]);
    assert.equal(
      keptLine(params, CLOSED, { memory: 2048 }, ['photoDays=7'], DEFAULTS),
      'The stack keeps auth=key, batchBuckets=photos, batchOutput=poses/run, logDays=14: --param=NAME=VALUE changes one',
    );
    assert.equal(keptLine(merged(DEFAULTS, {}, [], 'dev', { logDays: 30 }), { logDays: 30 }, {}, [], DEFAULTS), '', 'a default is nothing to tell');
  });

  it('is opened by the command line alone', () => {
    assert.equal(merged(DEFAULTS, {}, ['auth=none'], 'dev', CLOSED).auth, 'none');
    assert.throws(() => merged(DEFAULTS, { auth: 'none' }, [], 'dev', CLOSED), refused(/deploy\/stages\/dev.yml says auth=none, and the API is closed \(auth=key\): say --param=auth=none/));
    assert.equal(merged(DEFAULTS, { auth: 'none' }, [], 'dev', { auth: 'none' }).auth, 'none');
  });

  it('drops what was kept for a parameter that is switched off', () => {
    const tokens = { auth: 'jwt', jwtIssuer: 'https://i.example', jwtAudience: 'hpe' };
    assert.deepEqual(Object.values(merged(DEFAULTS, {}, ['auth=key'], 'dev', tokens)).filter((value) => value === 'https://i.example'), []);
    assert.equal(merged(DEFAULTS, {}, ['batchBuckets=none'], 'dev', CLOSED).batchOutput, 'none');
  });

  it('keeps its prefix: its buckets would be replaced', () => {
    assert.throws(() => merged(DEFAULTS, {}, ['prefix=other'], 'dev', { prefix: 'hpe' }), refused(/a bucket cannot be renamed/));
  });

  it('takes no package that was made for other choices', () => {
    checkPackage({ auth: 'key', kept: 'x' }, { auth: 'key' });
    assert.throws(() => checkPackage({ ...DEFAULTS, auth: 'key' }, { ...DEFAULTS }), refused(/the package was made with auth=none instead of key: make it again with --param=auth=key, or deploy without --package/));
  });

  it('is not opened by a rollback either', async () => {
    const template = (variables) => ({ Resources: { ApiLambdaFunction: { Properties: { Environment: { Variables: variables } } } } });
    const [open, closed] = [template({}), template({ HPE_KEYS_TABLE: { Ref: 'KeysTable' } })];
    assert.throws(() => checkRollback(closed, open, 'dev'), refused(/the API is closed \(auth=key\), and that deployment was open: say --param=auth=none/));
    for (const [now, then, words] of [[closed, closed], [open, open], [open, closed], [closed, open, ['auth=none']]]) checkRollback(now, then, 'dev', words);
    const s3 = new FakeS3();
    s3.objects.set('serverless/hpe/dev/1700000000000-2023-11-14T22:13:20.000Z/compiled-cloudformation-template.json', { Body: JSON.stringify(open) });
    for (const timestamp of ['1700000000000', '2023-11-14T22:13:20.000Z']) assert.deepEqual(await templateAt(s3, 'b', 'serverless/', timestamp), open);
    assert.equal(await templateAt(s3, 'b', 'serverless/', '1600000000000'), null);
  });

  it('is told of a table of keys that an earlier stack left', async () => {
    const there = { send: async () => ({ Items: [{ sha256: { S: 'x' } }] }) };
    const absent = { send: async () => { throw Object.assign(new Error('x'), { name: 'ResourceNotFoundException' }); } };
    assert.equal(await checkTable(there, 'hpe-dev-keys', true), false);
    assert.equal(await checkTable(absent, 'hpe-dev-keys', false), false);
    await assert.rejects(checkTable(there, 'hpe-dev-keys', false), refused(/hpe-dev-keys is there, outside of this stack/));
  });
});
