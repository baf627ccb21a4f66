// A person signs in at garlandd by a real OpenID provider, in each algorithm, with everything that a browser does;
// and the ways that must not lead in. Called by run.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startGarland } from './garland.mjs';
import { Browser, PATIENCE, startProvider } from './provider.mjs';

const [modules, build] = process.argv.slice(2);
const secret = 'a secret/with:marks&100%';
let checks = 0;
const same = (is, should, what) => { assert.equal(is, should, what); checks += 1; };

// As somebody configures it who signs people in by OpenID.
function settings(folder, port, issuer) {
  const file = join(folder, 'oidc.secret');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return `[oidc]
issuer = "${issuer}"
client_id = "garland"
client_secret_file = "${file}"
public_url = "http://127.0.0.1:${port}"
scopes = "openid email groups"
roles = { "garland-admins" = "operator" }
private_network = true
`;
}

async function signInAs(algorithm) {
  const folder = mkdtempSync(join(tmpdir(), 'garland-sign-in-'));
  const port = await freePort();
  const own = `http://127.0.0.1:${port}`;
  const redirectUri = `${own}/sign-in/callback`;
  const provider = await startProvider({ modules, redirectUri, secret, algorithm, groups: ['staff', 'garland-admins'] });
  const garland = await startGarland(build, folder, port, settings(folder, port, provider.issuer));
  try {
    const atCallback = (url) => url.startsWith(redirectUri);
    const browser = new Browser();
    const back = await browser.go(`${own}/sign-in`, 'rosa', atCallback);
    same(atCallback(back.url), true, `the provider sent the browser back: ${back.url}`);
    same((await new Browser().ask(back.url)).status, 403, 'not in a browser without the cookie');
    const done = await browser.ask(back.url);
    same(done.status, 200, `signed in: ${garland.log()}`);
    same((await browser.ask(back.url)).status, 403, 'once');

    const session = `${own}/api/integrations/session`;
    const who = await (await browser.ask(session)).json();
    same(who.name, 'rosa@studio.example', 'who it is');
    same(who.role, 'operator', 'what they may');
    const vendor = (headers) => browser.ask(`${own}/api/integrations/vendors`, {
      method: 'POST', body: '{"name":"Rosa"}', headers: { 'content-type': 'application/json', ...headers },
    });
    same((await vendor({})).status, 403, 'no change without the header');
    same((await vendor({ 'x-garland': '1', origin: 'https://evil.example.com' })).status, 403, 'nor from elsewhere');
    same((await vendor({ 'x-garland': '1' })).status, 201, 'a change');
    const cookie = browser.cookies.get(own).get('__Host-garland');
    same(garland.log().includes(cookie), false, 'the cookie is in no log');
    same((await browser.ask(session, { method: 'DELETE', headers: { 'x-garland': '1' } })).status, 200, 'signed out');
    const headers = { cookie: `__Host-garland=${cookie}` };
    const again = await fetch(session, { headers, signal: AbortSignal.timeout(PATIENCE) });
    same(again.status, 401, 'and stays so');
    await garland.stop();
    const database = readFileSync(join(folder, 'data/garland.db'));
    same(database.includes(cookie), false, 'the cookie is in no database');
    same(database.includes(secret), false, 'nor is the secret');
  } finally {
    await garland.stop();
    provider.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const algorithm of ['RS256', 'ES256']) await signInAs(algorithm);
console.log(`contracts: openid connect: ${checks} steps of sign-ins checked; skipped: nothing`);
process.exit(0);
