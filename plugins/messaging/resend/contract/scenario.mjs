// A mail's life at the twin, request by request: each is checked against the description first, each answer
// afterwards. Then what Resend's own client library sent is sent again.
import { readFileSync } from 'node:fs';

export async function drive(description, url, capturesFile) {
  const elsewhere = async (path, body) => {
    const response = await fetch(`${url}/_twin/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) description.wrong(`${path} ${JSON.stringify(body)}: ${await response.text()}`);
    return response.json();
  };
  async function ask(method, path, body, { expected = 200, headers = {}, raw } = {}) {
    await elsewhere('clock', { advance_ms: 1000 }); // two requests a second are taken
    if (expected < 300) description.request(method, path, raw ? JSON.parse(raw) : body);
    const response = await fetch(url + path, {
      method,
      headers: { authorization: 'Bearer re_x', ...(body || raw ? { 'content-type': 'application/json' } : {}), ...headers },
      body: raw ?? (body ? JSON.stringify(body) : undefined),
    });
    const document = await response.json();
    if (response.status !== expected) description.wrong(`${method} ${path}: status ${response.status}, not ${expected}: ${JSON.stringify(document)}`);
    description.answer(method, path, response.status, document);
    return document;
  }
  const mail = { from: 'Studio <studio@example.com>', to: ['ada@example.com'], subject: 'Your offer', html: '<p>Dear Ada</p>' };
  const send = (more, options) => ask('POST', '/emails', { ...mail, ...more }, options);

  const sent = await send({ cc: 'bo@example.com', bcc: ['cy@example.com'], reply_to: 'office@example.com', tags: [{ name: 'a', value: 'b' }] });
  await ask('GET', `/emails/${sent.id}`);
  const later = await send({ scheduled_at: new Date(Date.now() + 5 * 86400000).toISOString() });
  await ask('GET', `/emails/${later.id}`);
  await ask('PATCH', `/emails/${later.id}`, { scheduled_at: new Date(Date.now() + 6 * 86400000).toISOString() });
  await ask('POST', `/emails/${later.id}/cancel`);
  await ask('POST', `/emails/${later.id}/cancel`, undefined, { expected: 422 });
  await ask('POST', `/emails/${sent.id}/cancel`, undefined, { expected: 422 });
  await ask('POST', '/emails/none/cancel', undefined, { expected: 404 });
  await ask('POST', '/emails/batch', [mail, { ...mail, tags: [{ name: 'a', value: 'b' }] }]);
  await ask('POST', '/emails/batch', [mail, { ...mail, to: ['nobody'] }], { headers: { 'x-batch-validation': 'permissive' } });
  await ask('POST', '/emails/batch', [mail, { ...mail, to: ['nobody'] }], { expected: 422 });
  await ask('POST', '/emails/batch', [], { expected: 422 });
  await ask('POST', '/emails/batch', Array(101).fill(mail), { expected: 422 });

  for (const [wrong, status] of [
    [{ from: undefined }, 422], [{ from: 'nobody' }, 422], [{ from: 'a@unverified.example.com' }, 403], [{ to: [] }, 422], [{ to: ['nobody'] }, 422],
    [{ to: Array(51).fill('a@example.com') }, 422], [{ subject: undefined }, 422], [{ html: undefined }, 422], [{ tags: [{ name: 'ä', value: 'b' }] }, 422],
    [{ scheduled_at: 'some day' }, 422], [{ scheduled_at: '2199-01-01T00:00:00Z' }, 422],
  ])
    await send(wrong, { expected: status });
  await ask('POST', '/emails', undefined, { raw: '{', expected: 400 });
  await ask('GET', '/emails', undefined, { headers: { authorization: '' }, expected: 401 });
  await ask('GET', '/emails', undefined, { headers: { authorization: 'Bearer nonsense' }, expected: 403 });
  await ask('GET', '/emails', undefined, { headers: { authorization: 'Bearer re_send_1' }, expected: 401 });
  await ask('GET', '/emails/none', undefined, { expected: 404 });
  await ask('GET', '/emails?limit=101', undefined, { expected: 422 });
  await ask('GET', `/emails?after=${sent.id}&before=${sent.id}`, undefined, { expected: 422 });

  const keyed = { headers: { 'idempotency-key': 'k1' } };
  const once = await send({}, keyed);
  const again = await send({}, keyed);
  if (once.id !== again.id) description.wrong('the same idempotency key made two mails');
  await send({ subject: 'Another' }, { ...keyed, expected: 409 });
  await send({}, { headers: { 'idempotency-key': 'k'.repeat(257) }, expected: 400 });

  const came = await elsewhere('edit', { receive: { from: 'cy@example.com', to: ['leads@example.com'], subject: 'Free?', html: '<p>In June?</p>' } });
  await ask('GET', `/emails/receiving/${came.id}`);
  await ask('GET', '/domains');
  const hook = await ask('POST', '/webhooks', { endpoint: 'http://127.0.0.1:9/hook', events: ['email.opened'] }, { expected: 201 });
  await ask('GET', '/webhooks');
  await ask('GET', `/webhooks/${hook.id}`);
  await ask('DELETE', `/webhooks/${hook.id}`);
  await ask('GET', `/webhooks/${hook.id}`, undefined, { expected: 404 });

  // Every page, forward and back, until there is no more.
  for (const list of ['emails', 'emails/receiving']) {
    const whole = (await ask('GET', `/${list}?limit=100`)).data.map((item) => item.id);
    for (const direction of ['after', 'before']) {
      const ids = direction === 'after' ? [] : [whole.at(-1)];
      let cursor = direction === 'after' ? '' : `&before=${whole.at(-1)}`;
      for (let more = true; more;) {
        const page = await ask('GET', `/${list}?limit=5${cursor}`);
        const found = page.data.map((item) => item.id);
        if (direction === 'after') ids.push(...found); else ids.unshift(...found);
        more = page.has_more;
        cursor = `&${direction}=${direction === 'after' ? found.at(-1) : found[0]}`;
      }
      if (JSON.stringify(ids) !== JSON.stringify(whole)) description.wrong(`${list}: the pages ${direction} hold ${ids.length} of ${whole.length}, or in another order`);
    }
  }

  // What the official library sent.
  const captures = JSON.parse(readFileSync(capturesFile, 'utf8')).captures.filter((capture) => capture.sdk === 'resend');
  if (captures.length === 0) description.wrong('there is no capture of the client library');
  for (const { method, url: path, body, headers } of captures) await ask(method, path, undefined, { raw: body, headers });
}
