// A real OpenID provider on this machine, and a browser that signs in there as whoever it is told.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { generateKeyPairSync } from 'node:crypto';
import { pathToFileURL } from 'node:url';

export const PATIENCE = 30_000; // milliseconds, for an answer

// The class of that package. `modules`: the folder with node_modules.
export async function providerOf(modules) {
  const found = createRequire(`${modules}/x.js`).resolve('oidc-provider');
  return (await import(pathToFileURL(found))).default;
}

// `algorithm`: of its ID tokens; `groups`: of everybody.
export async function startProvider({ modules, redirectUri, secret, algorithm, groups }) {
  const Provider = await providerOf(modules);
  const server = createServer((request, response) => handle(request, response));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'garland', client_secret: secret, redirect_uris: [redirectUri], response_types: ['code'],
      grant_types: ['authorization_code'], id_token_signed_response_alg: algorithm,
    }],
    jwks: { keys: [keyOf('RS256'), keyOf('ES256')] },
    cookies: { keys: ['of a test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'email', 'groups'],
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@studio.example`, email_verified: true, groups }),
    }),
  });
  const handle = provider.callback();
  return { issuer, close: () => { server.close(); server.closeAllConnections(); } };
}

export function keyOf(alg) {
  const { privateKey } = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: `${alg}-1` };
}

// Keeps cookies for each origin, follows redirects, and fills in the provider's forms.
export class Browser {
  cookies = new Map();

  async ask(url, { method = 'GET', headers = {}, body } = {}) {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map();
    this.cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      method, body, redirect: 'manual', headers: { ...(cookie && { cookie }), ...headers }, signal: AbortSignal.timeout(PATIENCE),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=');
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value.join('='));
    }
    return answer;
  }

  // To where nothing redirects any more; `until`: an address that is not asked but handed back.
  async go(url, login, until = () => false) {
    for (let steps = 0; steps < 20; steps += 1) {
      if (until(url)) return { url };
      let answer = await this.ask(url);
      if (answer.status === 200 && url.includes('/interaction/')) {
        const prompt = /name="prompt" value="(\w+)"/.exec(await answer.text())[1];
        const body = new URLSearchParams({ prompt, login, password: 'any' });
        answer = await this.ask(url, { method: 'POST', body });
      }
      if (answer.status < 300 || answer.status > 399) return { url, answer };
      url = new URL(answer.headers.get('location'), url).href;
    }
    throw new Error(`redirected for ever, at last to ${url}`);
  }
}
