// Accounts are connected at a real OAuth provider with the commands and the browser that a vendor has, and their tokens
// are used, renewed, exchanged and taken back. Called by run.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, PATIENCE } from '../../api/contract/provider.mjs';
import { freePort, startGarland } from '../../api/contract/garland.mjs';
import { DEVICE, startProvider } from './provider.mjs';

const [modules, build] = process.argv.slice(2);
const secret = 'a secret/with:marks&100%';
const ids = { basic: 'the studio: basic', body: 'studio-body', alone: 'studio-alone' };
const PLUGINS = { basic: 'test.guests', body: 'test.guests-body', alone: 'test.guests-alone' };
const LIFE = 4; // seconds; renewed after three
let checks = 0;
const same = (is, should, what) => { assert.deepEqual(is, should, what); checks += 1; };
const seconds = (count) => new Promise((next) => setTimeout(next, count * 1000));

const folder = mkdtempSync(join(tmpdir(), 'garland-oauth-'));
const port = await freePort();
const own = `http://127.0.0.1:${port}`;
const redirectUri = `${own}/api/integrations/oauth/callback`;
const atCallback = (url) => url.startsWith(redirectUri);
const provider = await startProvider({ modules, redirectUri, ids, secret, life: LIFE });
const { told } = provider;
const granted = (by) => told.granted.filter((one) => one.by === by);
const garland = await startGarland(build, folder, port, `[plugins]\ndirs = ["${join(build, 'tests/sign-ins')}"]\n`);

// What `garland --json WORDS` answers.
async function command(words, { input = '', code = 0 } = {}) {
  const program = spawn(join(build, 'bin/garland'), ['--json', ...words], {
    env: { ...process.env, GARLAND_URL: own, GARLAND_KEY_FILE: join(folder, 'data/api.key') },
  });
  let out = '';
  let said = '';
  program.stdout.on('data', (text) => { out += text; });
  program.stderr.on('data', (text) => { said += text; });
  program.stdin.end(input);
  const ended = await new Promise((done) => program.on('close', done));
  assert.equal(ended, code, `garland ${words.join(' ')}: ${out}${said}${garland.log()}`);
  return out ? JSON.parse(out) : undefined;
}

const vendor = (await command(['vendors', 'add', 'Rosa'])).id;
for (const plugin of Object.values(PLUGINS)) await command(['plugins', 'enable', plugin, '--vendor', vendor]);

function begin(verb, kind, ...further) {
  const places = { url: '/api/', token_url: '/token', revoke_url: '/token/revocation' };
  if (kind !== 'alone') Object.assign(places, { authorize_url: '/auth', device_url: '/device/auth' });
  const settings = Object.entries(places).flatMap(([name, path]) => ['--set', `${name}=${provider.issuer}${path}`]);
  const words = ['connections', verb, PLUGINS[kind], '--vendor', vendor, ...settings, ...further];
  return command([...words, '--password-stdin', '--allow-private-network'], { input: `${ids[kind]}\n${secret}\n` });
}

const outcome = (id) => command(['connections', 'authorization', id, '--vendor', vendor]);

async function waitFor(id) {
  for (let rounds = 0; rounds < 60; rounds += 1) {
    const now = await outcome(id);
    if (!['open', 'redeeming'].includes(now.state)) return now; // the second one: the provider's answer is at work
    await seconds(0.5);
  }
  throw new Error(`nothing has become of ${id}`);
}

async function sync(connection, name) {
  await command(['sync', 'run', connection]); // joins the one that begins by itself once an account is connected
  const before = told.opened.length;
  same((await command(['sync', 'run', connection])).state, 'done', 'a sync');
  const opened = told.opened.slice(before);
  same(opened.some((one) => one.path === '/api/guests'), true, 'the list was read');
  same([...new Set(opened.map((one) => one.name))], [name], 'with a token of that account');
  return opened.at(-1).token;
}

// From garland's own page to where the provider sends the browser back to.
async function wayBack(browser, begun, name) {
  const page = await browser.ask(begun.url);
  same(page.status, 200, 'a page that says for whom');
  const link = /href="([^"]+)"/.exec(await page.text())[1].replaceAll('&amp;', '&');
  same(link.includes('code_challenge_method=S256'), true, 'with PKCE');
  const back = await browser.go(link, name, atCallback);
  same(atCallback(back.url), true, `the provider sent the browser back: ${back.url}`);
  return back.url;
}

async function connectByPage(kind, name) {
  const browser = new Browser();
  const begun = await begin('authorize', kind);
  const url = await wayBack(browser, begun, name);
  same((await new Browser().ask(url)).status, 403, 'not in another browser');
  same((await browser.ask(url)).status, 200, `connected: ${garland.log()}`);
  same((await browser.ask(url)).status, 404, 'once');
  const now = await outcome(begun.id);
  same(now.state, 'connected', 'that is told');
  return now.connection_id;
}

async function refuseByPage() {
  const browser = new Browser();
  const begun = await begin('authorize', 'basic');
  const page = await browser.ask(begun.url);
  const link = /href="([^"]+)"/.exec(await page.text())[1].replaceAll('&amp;', '&');
  const asked = new URL((await browser.ask(link)).headers.get('location'), link).href;
  const back = await browser.go(`${asked}/abort`, '', atCallback);
  same((await browser.ask(back.url)).status, 403, 'who does not let it connects nothing');
  const now = await outcome(begun.id);
  same([now.state, now.cause.includes('access_denied')], ['failed', true], now.cause);
}

// What the provider's API answers to it.
async function statusWith(token) {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${provider.issuer}/api/me`, { headers, signal: AbortSignal.timeout(PATIENCE) })).status;
}

async function liveByPage(kind, name) {
  const connection = await connectByPage(kind, name);
  const { client, basic, body } = granted('authorization_code').at(-1);
  same([client, basic, body], [ids[kind], kind === 'basic', kind === 'body'], 'the client said who it is, in its own way');
  const first = await sync(connection, name);
  const renewals = granted('refresh_token').length;
  await seconds(LIFE);
  const second = await sync(connection, name);
  same(second === first, false, 'a token that ran out was renewed');
  same(granted('refresh_token').length > renewals, true, 'by the refresh token');
  same((await command(['connections', 'test', connection])).account, name, 'a test');
  provider.life = 600; // so that what ends this one is that it is taken back
  await command(['connections', 'rotate', connection]);
  provider.life = LIFE;
  const third = await sync(connection, name);
  same(third === second, false, 'another token was asked for');
  same(await statusWith(third), 200, 'which is good for something yet');

  const gone = told.revoked;
  const revoked = await command(['connections', 'revoke', connection]);
  same(revoked.state_reason.endsWith('and at the provider'), true, revoked.state_reason);
  same(told.revoked, gone + 1, 'which says so itself');
  same(await statusWith(third), 401, 'what was given is good for nothing');
  await command(['sync', 'run', connection], { code: 1 });
  same(await connectByPage(kind, name), connection, 'the same account goes on');
  await sync(connection, name);
}

const hidden = (html) => new URLSearchParams([...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map((one) => [one[1], one[2]]));

// Somebody opens the address with the code, sees it once more, and answers.
async function answerDevice(begun, name, word) {
  const browser = new Browser();
  const submit = (body) => browser.ask(`${provider.issuer}/device`, { method: 'POST', body });
  const opened = await browser.ask(begun.verification_uri_complete);
  const page = await (await submit(hidden(await opened.text()))).text();
  same(page.includes(begun.user_code), true, 'the code is what the provider shows');
  const body = hidden(page);
  if (word === 'abort') body.set('abort', 'yes');
  const answer = await submit(body);
  if (word === 'abort') return;
  const end = await browser.go(new URL(answer.headers.get('location'), provider.issuer).href, name);
  same([end.answer.status, (await end.answer.text()).includes('Sign-in Success')], [200, true], 'let in');
}

async function liveByDevice(kind, name) {
  const [begun, refused] = [await begin('authorize', kind, '--device'), await begin('authorize', kind, '--device')];
  same([(await outcome(begun.id)).state, granted(DEVICE).length], ['open', 0], 'nobody has let it in');
  await answerDevice(refused, name, 'abort');
  await answerDevice(begun, name, 'let in');
  const now = await waitFor(begun.id);
  same(now.state, 'connected', now.cause);
  const not = await waitFor(refused.id);
  same([not.state, not.cause.includes('not let in')], ['failed', true], not.cause);
  const first = await sync(now.connection_id, name);
  await seconds(LIFE);
  same(await sync(now.connection_id, name) === first, false, 'renewed as any other');
}

async function liveAlone() {
  const connection = (await begin('connect', 'alone')).id;
  const first = await sync(connection, ids.alone);
  await seconds(LIFE);
  same(await sync(connection, ids.alone) === first, false, 'another token for the same client');
  await command(['connections', 'revoke', connection]);
}

// Nothing that opens an account is in the log or, unsealed, in any file.
function lookForTokens() {
  const files = readdirSync(join(folder, 'data')).filter((name) => name.startsWith('garland.db'));
  const all = [Buffer.from(garland.log()), ...files.map((name) => readFileSync(join(folder, 'data', name)))];
  same(files.length > 0 && told.opened.length > 0, true, 'there is something to look for, and where');
  for (const text of [secret, ...new Set(told.opened.map((one) => one.token))])
    same(all.some((bytes) => bytes.includes(text)), false, 'no secret and no token is readable');
}

try {
  await liveByPage('basic', 'rosa');
  await liveByPage('body', 'mila');
  await refuseByPage();
  await liveByDevice('basic', 'ida');
  await liveAlone();
  same(told.refused, [], 'the provider never had to refuse what a token was asked for with');
  await garland.stop();
  lookForTokens();
  console.log(`contracts: oauth 2: ${checks} steps of signing in checked; skipped: nothing`);
} catch (error) {
  console.error(error); // before what follows, which may fail as well
  process.exitCode = 1;
} finally {
  await garland.stop();
  provider.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
