// The plugin's own logic, with S3 played by a small fake that keeps what the SDK's commands say.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';

import { S3Client } from '@aws-sdk/client-s3';

import { emptyBucket } from '../../deploy/plugin/buckets.js';
import { DeployError, readModel } from '../../deploy/plugin/model.js';
import { checkBucketNames, checkCredentials, checkNames, findPython } from '../../deploy/plugin/preflight.js';
import { configScript, headersOf, siteFiles, syncSite } from '../../deploy/plugin/site.js';
import { allowedOrigins, mailSubscription } from '../../deploy/plugin/values.js';

const md5 = (body) => `"${createHash('md5').update(body).digest('hex')}"`;

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

  async function write(name, body, manifest) {
    await writeFile(path.join(folder, `${name}.onnx`), body);
    if (manifest !== undefined) await writeFile(path.join(folder, `${name}.json`), manifest);
    return path.join(folder, `${name}.onnx`);
  }

  it('has a key that carries its sha256', async () => {
    const sha256 = createHash('sha256').update('weights').digest('hex');
    const model = await readModel(await write('good', 'weights', JSON.stringify({ sha256 })));
    assert.equal(model.key, `models/pose-${sha256.slice(0, 16)}.onnx`);
    assert.equal(model.manifestKey, `models/pose-${sha256.slice(0, 16)}.json`);
  });

  it('gets another key when its bytes change', async () => {
    const keys = [];
    for (const body of ['a', 'b']) {
      const sha256 = createHash('sha256').update(body).digest('hex');
      keys.push((await readModel(await write('changing', body, JSON.stringify({ sha256 })))).key);
    }
    assert.notEqual(keys[0], keys[1]);
  });

  for (const [what, name, body, manifest, words] of [
    ['that does not match its manifest', 'other', 'weights', '{"sha256": "00"}', /does not match its manifest/],
    ['without a manifest', 'alone', 'weights', undefined, /alone.json cannot be read \(ENOENT\)/],
    ['with a manifest that is not JSON', 'broken', 'weights', '{', /is not JSON/],
  ]) {
    it(`${what} is refused in one line`, async () => {
      const file = await write(name, body, manifest);
      await assert.rejects(readModel(file), (error) => error instanceof DeployError && words.test(error.message) && !error.message.includes('\n'));
    });
  }

  it('that is absent is refused with what to do', async () => {
    await assert.rejects(readModel(path.join(folder, 'none.onnx')), /--param=model=PATH/);
  });

  it('must be .onnx', async () => {
    await assert.rejects(readModel(path.join(folder, 'x.pt')), /not an .onnx file/);
  });
});

describe('site', () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'hpe-site-'));
    await mkdir(path.join(folder, 'fonts'));
    await writeFile(path.join(folder, 'index.html'), '<!doctype html>');
    await writeFile(path.join(folder, 'app.js'), 'x');
    await writeFile(path.join(folder, 'config.js'), 'local');
    await writeFile(path.join(folder, '.hidden.js'), 'no');
    await writeFile(path.join(folder, 'fonts', 'a.woff2'), 'f');
  });
  after(() => rm(folder, { recursive: true }));

  it('has its own config.js, its folders, and no hidden file', async () => {
    const files = await siteFiles(folder, 'https://api.example');
    assert.deepEqual([...files.keys()].sort(), ['app.js', 'config.js', 'fonts/a.woff2', 'index.html']);
    assert.equal(files.get('config.js').toString(), 'window.HPE_CONFIG = {"apiUrl":"https://api.example","uploads":true};\n');
  });

  it('quotes the address of the API', () => {
    assert.ok(!configScript('"</script>').includes('""'));
  });

  it('knows the type of every file that the real site has', async () => {
    for (const name of (await siteFiles('static-site', 'x')).keys()) assert.ok(headersOf(name).ContentType, name);
  });

  it('refuses a file whose type it does not know', () => {
    assert.throws(() => headersOf('data.bin'), /no content type is known for ".bin"/);
  });

  it('makes browsers ask again for code and keep images for a day', () => {
    assert.equal(headersOf('app.js').CacheControl, 'no-cache');
    assert.match(headersOf('icon.svg').CacheControl, /max-age=86400/);
  });

  it('without index.html is refused', async () => {
    await assert.rejects(siteFiles(path.join(folder, 'fonts'), 'x'), /no index.html/);
  });

  it('is uploaded once, and then only what changed; what is gone is deleted', async () => {
    const s3 = new FakeS3();
    s3.objects.set('old.js', { Body: Buffer.from('old') });
    const files = await siteFiles(folder, 'https://api.example');
    assert.deepEqual((await syncSite(s3, 'b', files)).sort(), ['app.js', 'config.js', 'fonts/a.woff2', 'index.html', 'old.js']);
    assert.ok(!s3.objects.has('old.js'));
    assert.equal(s3.objects.get('index.html').ContentType, 'text/html; charset=utf-8');
    assert.deepEqual(await syncSite(s3, 'b', files), []);
    files.set('app.js', Buffer.from('y'));
    assert.deepEqual(await syncSite(s3, 'b', files), ['app.js']);
  });

  it('is uploaded again where only its headers differ', async () => {
    const s3 = new FakeS3();
    const files = await siteFiles(folder, 'x');
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

  for (const [status, words] of [[403, /by somebody else/], [301, /in another region/]]) {
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

  it('an alarm address is an address', () => {
    assert.deepEqual(mailSubscription('none'), {});
    assert.equal(mailSubscription('a@b.example').AlarmMail.Properties.Endpoint, 'a@b.example');
    assert.throws(() => mailSubscription('somebody'), /give an address, or none/);
  });
});
