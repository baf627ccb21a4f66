// node check.mjs MODULES REQUESTS: lets oauth-1.0a and aws4 sign what arrived, and compares. REQUESTS: what
// signing_contract_test saw arrive, and with which credential, a JSON object a line.
// Prints what is wrong and one line per scheme of what was checked; exit code 0 all agree, 1 not.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [modules, requestsFile] = process.argv.slice(2);
const require = createRequire(modules + '/');
const OAuth = require('oauth-1.0a');
const aws4 = require('aws4');

const hashes = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256' };
const header = (request, name) => Object.entries(request.headers).find(([known]) => known.toLowerCase() === name)?.[1];

function byOAuth(request) {
  const { method, target, port, body, key, secret, token, token_secret } = request;
  const sent = Object.fromEntries([...header(request, 'authorization').matchAll(/(oauth_\w+)="([^"]*)"/g)]
    .map(([, name, value]) => [name, decodeURIComponent(value)]));
  const signature_method = sent.oauth_signature_method;
  const oauth = new OAuth({
    consumer: { key, secret },
    signature_method,
    hash_function: hashes[signature_method] && ((base, by) => createHmac(hashes[signature_method], by).update(base).digest('base64')),
  });
  // It takes query and form apart itself, but neither repeated members of a form nor "+" as a space.
  const isForm = header(request, 'content-type') === 'application/x-www-form-urlencoded';
  const data = {};
  const add = (name, value) => { data[name] = name in data ? [data[name], value].flat() : value; };
  const url = new URL(`http://127.0.0.1:${port}${target}`);
  for (const [name, value] of url.searchParams) add(name, value);
  if (isForm) for (const [name, value] of new URLSearchParams(body)) add(name, value);
  const oauth_data = { ...sent };
  delete oauth_data.oauth_signature;
  const plain = { url: `http://127.0.0.1:${port}${target.split('?')[0]}`, method, data };
  const wanted = oauth.getSignature(plain, token_secret, oauth_data);
  const right = sent.oauth_consumer_key === key && (sent.oauth_token ?? '') === token && sent.oauth_version === '1.0';
  return right && sent.oauth_signature === wanted ? '' : `${JSON.stringify(sent)} is not ${wanted}`;
}

function byAws4(request) {
  const { method, target, body, key, secret, service, region, session_token } = request;
  const sent = header(request, 'authorization');
  const names = /SignedHeaders=([^,]+)/.exec(sent)?.[1].split(';') ?? [];
  const again = {
    method, path: target, service, region, body: body || undefined,
    headers: Object.fromEntries(names.map((name) => [name, header(request, name)])),
    extraHeadersToIgnore: {}, extraHeadersToInclude: Object.fromEntries(names.map((name) => [name, true])),
  };
  // It calls a body without a type a form; ours go as they are, so that a missing one must stay missing.
  if (body && !names.includes('content-type')) again.extraHeadersToIgnore['content-type'] = true;
  if (!names.includes('content-length')) again.extraHeadersToIgnore['content-length'] = true;
  again.host = again.headers.host;
  const signed = aws4.sign(again, { accessKeyId: key, secretAccessKey: secret, sessionToken: session_token || undefined });
  const wanted = signed.headers.Authorization ?? signed.headers.authorization;
  return sent === wanted ? '' : `${sent} is not ${wanted}`;
}

// aws4 takes only the first of repeated members for s3; AWS documents no such rule.
function repeatsForS3({ service, target }) {
  const names = [...new URL(target, 'http://x').searchParams.keys()];
  return service === 's3' && new Set(names).size < names.length;
}

const counts = { oauth1: 0, sigv4: 0 };
let wrong = 0;
let skipped = 0;
for (const line of readFileSync(requestsFile, 'utf8').split('\n').filter((text) => text)) {
  const request = JSON.parse(line);
  request.body = Buffer.from(request.body, 'base64').toString();
  if (request.scheme === 'sigv4' && repeatsForS3(request)) {
    ++skipped;
    continue;
  }
  const fault = (request.scheme === 'oauth1' ? byOAuth : byAws4)(request);
  ++counts[request.scheme];
  if (!fault) continue;
  ++wrong;
  console.log(`${request.scheme}: ${request.method} ${request.target} (${request.service}): ${fault}`);
}
console.log(`contracts: oauth 1.0a: ${counts.oauth1} requests checked; skipped: nothing`);
console.log(`contracts: aws signature 4: ${counts.sigv4} requests checked; skipped: ${skipped ? `${skipped} to s3 whose query repeats a member` : 'nothing'}`);
if (counts.oauth1 === 0 || counts.sigv4 === 0) console.log('check.mjs: there is nothing to check in ' + requestsFile);
process.exit(wrong > 0 || counts.oauth1 === 0 || counts.sigv4 === 0 ? 1 : 0);
