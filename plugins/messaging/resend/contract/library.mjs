// Resend's own client library against the twin: a mail's life in its words, keys, errors, mails that come in; and the
// verdict of three official libraries on the signatures of notices.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

// Takes notices and keeps them as they came.
async function receive() {
  const notices = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      notices.push({ body: Buffer.concat(parts).toString(), headers: request.headers });
      response.end('{}');
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { notices, server, url: `http://127.0.0.1:${server.address().port}/hook` };
}

const until = async (holds) => {
  for (let tries = 0; tries < 200 && !holds(); ++tries) await new Promise((on) => setTimeout(on, 50));
  return holds();
};

export async function use(require, modules, url, description) {
  const { Resend } = require('resend');
  const wrong = (what) => description.wrong(`library: ${what}`);
  const control = (path, body) => fetch(`${url}/_twin/${path}`, { method: 'POST', body: JSON.stringify(body) }).then((r) => r.json());
  const resend = new Resend('re_library', { baseUrl: url });
  let calls = 0;
  const call = async (run) => {
    ++calls;
    await control('clock', { advance_ms: 1000 }); // two requests a second are taken
    const { data, error } = await run();
    if (error) wrong(`${run}: ${JSON.stringify(error)}`);
    return data;
  };
  const refused = async (run, name) => {
    ++calls;
    await control('clock', { advance_ms: 1000 });
    const { error } = await run();
    if (error?.name !== name) wrong(`${run} was ${JSON.stringify(error)}, not ${name}`);
  };
  const equal = (is, should, what) => is === should || wrong(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
  const mail = { from: 'Studio <studio@example.com>', to: 'ada@example.com', subject: 'Hi', text: 'Hello' };

  const hook = await receive();
  const events = ['sent', 'delivered', 'delivery_delayed', 'complained', 'bounced', 'opened', 'clicked', 'failed', 'scheduled', 'suppressed', 'received'].map((event) => `email.${event}`);
  const endpoint = await call(() => resend.webhooks.create({ endpoint: hook.url, events }));

  const sent = await call(() => resend.emails.send({ ...mail, tags: [{ name: 'supplier', value: '1' }] }, { idempotencyKey: 'l1' }));
  const same = await call(() => resend.emails.send({ ...mail, tags: [{ name: 'supplier', value: '1' }] }, { idempotencyKey: 'l1' }));
  equal(same.id, sent.id, 'a mail with the same key');
  await refused(() => resend.emails.send({ ...mail, subject: 'Other' }, { idempotencyKey: 'l1' }), 'invalid_idempotent_request');
  equal((await call(() => resend.emails.get(sent.id))).last_event, 'delivered', 'what became of a mail');
  equal((await call(() => resend.emails.get(sent.id))).tags[0].value, '1', 'its tag');
  const day = new Date(Date.now() + 86400000).toISOString();
  const later = await call(() => resend.emails.send({ ...mail, scheduledAt: day }));
  await call(() => resend.emails.update({ id: later.id, scheduledAt: new Date(Date.now() + 2 * 86400000).toISOString() }));
  equal((await call(() => resend.emails.cancel(later.id))).id, later.id, 'a mail that was called back');
  equal((await call(() => resend.emails.get(later.id))).last_event, 'canceled', 'its state');
  await refused(() => resend.emails.cancel(later.id), 'validation_error');
  const batch = await call(() => resend.batch.send([mail, { ...mail, to: 'nobody' }, mail], { batchValidation: 'permissive', idempotencyKey: 'b1' }));
  equal(`${batch.data.length} ${batch.errors.map((error) => error.index)}`, '2 1', 'a batch that is partly wrong');
  await refused(() => resend.batch.send([mail, { ...mail, to: 'nobody' }]), 'validation_error');
  const page = await call(() => resend.emails.list({ limit: 2 }));
  const next = await call(() => resend.emails.list({ limit: 2, after: page.data[1].id }));
  equal(page.has_more, true, 'whether there is more');
  if (page.data.some((one) => next.data.some((other) => other.id === one.id))) wrong('two pages hold the same mail');
  await control('edit', { receive: { from: 'cy@example.com', to: 'leads@example.com', subject: 'Free?', text: 'In June?' } });
  const [received] = (await call(() => resend.emails.receiving.list())).data;
  equal((await call(() => resend.emails.receiving.get(received.id))).text, 'In June?', 'the text of a mail that came in');
  equal((await call(() => resend.domains.list())).data[0].status, 'verified', 'the domain');
  equal((await call(() => resend.webhooks.list())).data[0].endpoint, hook.url, 'the address of a webhook');
  await refused(() => resend.emails.get('00000000-0000-4000-8000-000000000000'), 'not_found');
  await refused(() => resend.emails.send({ ...mail, from: '' }), 'missing_required_field');
  await refused(() => resend.emails.send({ ...mail, from: 'a@unverified.example.com' }), 'validation_error');
  await refused(() => new Resend('nonsense', { baseUrl: url }).emails.list(), 'invalid_api_key');
  await refused(() => new Resend('re_send_1', { baseUrl: url }).emails.list(), 'restricted_api_key');
  for (const name of ['bounced', 'complained', 'delayed', 'suppressed', 'failed'])
    await call(() => resend.emails.send({ ...mail, to: `${name}@example.com` }));
  await control('edit', { id: sent.id, event: 'opened' });
  await control('edit', { id: sent.id, event: 'clicked' });
  await call(() => resend.domains.list());
  await call(() => resend.emails.list());
  const { error } = await resend.emails.list();
  calls += 2;
  const soon = await resend.emails.list();
  equal((error ?? soon.error)?.name, 'rate_limit_exceeded', 'a third request in a second');

  // The notices are Resend's by the verdict of three libraries, and only unchanged.
  if (!(await until(() => events.every((event) => hook.notices.some((notice) => JSON.parse(notice.body).type === event)))))
    wrong(`not every kind of notice came: ${hook.notices.map((notice) => JSON.parse(notice.body).type)}`);
  const { Webhook: Svix } = require('svix');
  const { Webhook: Standard } = require('standardwebhooks');
  const standard = (headers) => Object.fromEntries(['id', 'timestamp', 'signature'].map((name) => [`webhook-${name}`, headers[`svix-${name}`]]));
  const verifiers = {
    svix: (body, headers, secret) => new Svix(secret).verify(body, headers),
    standardwebhooks: (body, headers, secret) => new Standard(secret).verify(body, standard(headers)),
    resend: (body, headers, secret) => resend.webhooks.verify({
      payload: body, webhookSecret: secret,
      headers: { id: headers['svix-id'], timestamp: headers['svix-timestamp'], signature: headers['svix-signature'] },
    }),
  };
  let verified = 0;
  for (const { body, headers } of hook.notices) {
    description.notice(JSON.parse(body));
    for (const [name, verify] of Object.entries(verifiers)) {
      try {
        verify(body, headers, endpoint.signing_secret);
        ++verified;
      } catch (error) {
        wrong(`${name} did not accept a notice: ${error.message}`);
      }
      const other = 'whsec_' + Buffer.from('another secret of somebody').toString('base64');
      for (const [text, secret] of [[body.replace('"type"', '"typE"'), endpoint.signing_secret], [body, other]]) {
        let accepted = true;
        try { verify(text, headers, secret); } catch { accepted = false; }
        if (accepted) wrong(`${name} accepted a notice that was changed, or signed with another secret`);
      }
    }
  }
  await control('clock', { advance_ms: 1000 });
  await call(() => resend.webhooks.remove(endpoint.id));
  hook.server.close();
  hook.server.closeAllConnections();
  const version = JSON.parse(readFileSync(`${modules}/node_modules/resend/package.json`, 'utf8')).version;
  return { calls, verified, verifiers: Object.keys(verifiers), version };
}
