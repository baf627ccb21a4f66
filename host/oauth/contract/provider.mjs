// A real OAuth provider on this machine, as strict as it can be made: PKCE from everybody, another refresh token at each
// use of one, and all that came of a sign-in ends if one is used twice. Beside it is the API that its tokens open.
import { createServer } from 'node:http';
import { keyOf, providerOf } from '../../api/contract/provider.mjs';

export const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const PERSONS = ['authorization_code', 'refresh_token', DEVICE];

// `life`: seconds of an access token, and of the next ones what the result's is set to. Clients: "basic" and "body", of people, and "alone".
export async function startProvider({ modules, redirectUri, ids, secret, life }) {
  const Provider = await providerOf(modules);
  const told = { granted: [], refused: [], revoked: 0, opened: [] };
  const server = createServer((request, response) => {
    if (request.url.startsWith('/api/')) openApi(provider, told, request, response);
    else handle(request, response);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const person = (client_id, token_endpoint_auth_method) => ({
    client_id, client_secret: secret, token_endpoint_auth_method, grant_types: PERSONS, redirect_uris: [redirectUri],
    response_types: ['code'],
  });
  const provider = new Provider(issuer, {
    clients: [
      person(ids.basic, 'client_secret_basic'), person(ids.body, 'client_secret_post'),
      { client_id: ids.alone, client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    ],
    features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, clientCredentials: { enabled: true } },
    jwks: { keys: [keyOf('RS256')] },
    cookies: { keys: ['of a test'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: { AccessToken: () => running.life, ClientCredentials: () => running.life },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  provider.on('grant.success', ({ oidc, headers }) => told.granted.push({
    by: oidc.params.grant_type, client: oidc.client.clientId, basic: 'authorization' in headers,
    body: oidc.params.client_secret !== undefined,
  }));
  // A device that waits is refused until somebody has let it in, or has not.
  const usual = ['authorization_pending', 'access_denied'];
  provider.on('grant.error', (_, problem) => usual.includes(problem.error) || told.refused.push(problem.message));
  provider.on('grant.revoked', () => { told.revoked += 1; });
  const handle = provider.callback();
  const running = { issuer, told, life, close: () => { server.close(); server.closeAllConnections(); } };
  return running;
}

// GET /api/me, /api/guests; of whom the token is.
async function openApi(provider, told, request, response) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const found = await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token);
  const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (!found) return answer(401, { error: 'invalid_token' });
  const name = found.accountId ?? found.clientId;
  told.opened.push({ path: request.url, name, token });
  if (request.url === '/api/me') return answer(200, { name });
  return answer(200, { items: [{ id: '1', kind: 'person', name: `Guest of ${name}` }] });
}
