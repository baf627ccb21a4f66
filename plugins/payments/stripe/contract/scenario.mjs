// A payment's life at the twin, request by request: each is checked against the description first, each answer
// afterwards. Then what Stripe's own client library sent is sent again.
import { readFileSync } from 'node:fs';

export async function drive(description, url, capturesFile) {
  const elsewhere = async (path, body) => {
    const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) description.wrong(`${path} ${JSON.stringify(body)}: ${await response.text()}`);
    return response.json();
  };
  let asked = 0;
  async function ask(method, path, body, { expected = 200, headers = {}, raw } = {}) {
    if (++asked % 50 === 0) await elsewhere('/_twin/clock', { advance_ms: 1000 }); // 100 requests a second are taken
    const form = raw ?? (body ? description.qs.stringify(body, { encodeValuesOnly: true }) : undefined);
    if (expected < 400) description.request(method, path, form);
    const response = await fetch(url + path, {
      method: method.toUpperCase(),
      headers: { authorization: 'Bearer sk_test_x', ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
      body: form,
    });
    const document = await response.json();
    if (response.status !== expected) description.wrong(`${method} ${path}: status ${response.status}, not ${expected}: ${JSON.stringify(document)}`);
    description.answer(method, path, response.status, document);
    return document;
  }
  const intent = (more) => ask('post', '/v1/payment_intents', { amount: 250000, currency: 'eur', ...more });

  await ask('get', '/v1/account');
  const held = await intent({ capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true, metadata: { wedding: 'w1' } });
  await ask('post', `/v1/payment_intents/${held.id}/capture`, { amount_to_capture: 200000, metadata: { taken: 'yes' } });
  const refund = await ask('post', '/v1/refunds', { payment_intent: held.id, amount: 50000, reason: 'requested_by_customer' });
  await ask('get', `/v1/refunds/${refund.id}`);
  await ask('post', '/v1/refunds', { payment_intent: held.id, amount: 150001 }, { expected: 400 });
  await ask('post', '/v1/refunds', { payment_intent: held.id });
  await ask('post', '/v1/refunds', { payment_intent: held.id }, { expected: 400 });
  await ask('post', `/v1/payment_intents/${held.id}/cancel`, {}, { expected: 400 });

  const customer = await ask('post', '/v1/customers', { name: 'Ann Hill', email: 'ann@example.com', metadata: { wedding: 'w1' } });
  await ask('get', `/v1/customers/${customer.id}`);
  const theirs = await intent({ customer: customer.id });
  if (theirs.customer !== customer.id) description.wrong(`the payment is of customer ${theirs.customer}`);
  await ask('get', `/v1/payment_intents?customer=${customer.id}`);
  const refused = async (body, code, param) => {
    const { error } = await ask('post', '/v1/payment_intents', { amount: 100, ...body }, { expected: 400 });
    if (error.type !== 'invalid_request_error' || error.code !== code || error.param !== param)
      description.wrong(`${JSON.stringify(body)} is refused as ${JSON.stringify(error)}`);
  };
  await refused({ currency: 'eur', customer: 'cus_nobody' }, 'resource_missing', 'customer');
  await refused({ currency: 'xxx' }, undefined, 'currency');
  await ask('get', '/v1/payment_intents?customer=cus_nobody', undefined, { expected: 400 });
  await ask('get', '/v1/customers/cus_nobody', undefined, { expected: 404 });

  const later = await intent({ description: 'Spring' });
  await ask('post', `/v1/payment_intents/${later.id}/confirm`, { payment_method: 'pm_card_chargeDeclined' }, { expected: 402 });
  await ask('post', `/v1/payment_intents/${later.id}/confirm`, { payment_method: 'pm_card_authenticationRequired', return_url: 'https://studio.example.com' });
  await ask('post', `/v1/payment_intents/${later.id}/cancel`, { cancellation_reason: 'abandoned' });
  await ask('get', `/v1/payment_intents/${later.id}`);
  await ask('get', '/v1/payment_intents/pi_none', undefined, { expected: 404 });
  await ask('post', '/v1/payment_intents', { currency: 'eur' }, { expected: 400 });
  await ask('post', '/v1/payment_intents', { amount: 'much', currency: 'eur' }, { expected: 400 });
  await ask('post', '/v1/payment_intents', { amount: 1, currency: 'eur', colour: 'red' }, { expected: 400 });
  await ask('get', '/v1/payment_intents', undefined, { headers: { authorization: 'Bearer nonsense' }, expected: 401 });
  await ask('get', '/v1/account', undefined, { headers: { 'stripe-account': 'nobody' }, expected: 403 });

  // Split at once, passed on later, taken back by a bank.
  const split = await intent({ confirm: true, payment_method: 'pm_card_visa', application_fee_amount: 2500, transfer_data: { destination: 'acct_dj' } });
  await ask('post', '/v1/refunds', { payment_intent: split.id, amount: 1000, reverse_transfer: true, refund_application_fee: true });
  const transfer = await ask('post', '/v1/transfers', { amount: 700, currency: 'eur', destination: 'acct_dj', transfer_group: 'w1', description: 'Music' });
  await ask('get', `/v1/transfers/${transfer.id}`);
  await ask('get', '/v1/transfers?destination=acct_dj&transfer_group=w1');
  await ask('post', '/v1/transfers', { amount: 99000000, currency: 'eur', destination: 'acct_dj' }, { expected: 400 });
  await ask('get', '/v1/balance_transactions', undefined, { headers: { 'stripe-account': 'acct_dj' } });
  const taken = await intent({ confirm: true, payment_method: 'pm_card_visa' });
  const dispute = await elsewhere('/_twin/edit', { id: taken.id, dispute: 'fraudulent' });
  await ask('get', `/v1/disputes?payment_intent=${taken.id}`);
  await ask('post', `/v1/disputes/${dispute.id}`, { evidence: { customer_name: 'Ann & Bo' }, submit: false, metadata: { a: 'b' } });
  await ask('post', `/v1/disputes/${dispute.id}`, { evidence: { uncategorized_text: 'They danced.' }, submit: true });
  await ask('post', `/v1/disputes/${dispute.id}`, { evidence: { uncategorized_text: 'Again.' }, submit: true }, { expected: 400 });
  await elsewhere('/_twin/edit', { dispute: dispute.id, won: true });
  await ask('get', `/v1/disputes/${dispute.id}`);

  // A payout takes what is available; its lines and itself add up to nothing.
  await elsewhere('/_twin/clock', { advance_ms: 8 * 86400000 });
  const payout = await elsewhere('/_twin/edit', { payout: 'eur' });
  await ask('get', `/v1/payouts/${payout.id}`);
  await ask('get', '/v1/payouts?status=paid');
  const lines = await ask('get', `/v1/balance_transactions?payout=${payout.id}&limit=100`);
  if (lines.data.reduce((sum, line) => sum + line.net, 0) !== 0) description.wrong('the lines of a payout do not add up to it');
  await ask('get', `/v1/balance_transactions/${lines.data[0].id}`);

  const keyed = { headers: { 'idempotency-key': 'k1' } };
  const once = await ask('post', '/v1/payment_intents', { amount: 1000, currency: 'jpy' }, keyed);
  const again = await ask('post', '/v1/payment_intents', { amount: 1000, currency: 'jpy' }, keyed);
  if (once.id !== again.id) description.wrong('the same idempotency key made two payment intents');
  await ask('post', '/v1/payment_intents', { amount: 1001, currency: 'jpy' }, { ...keyed, expected: 400 });

  // Every page, forward, until there is no more.
  for (const list of ['payment_intents', 'refunds', 'events', 'transfers', 'disputes', 'payouts', 'balance_transactions']) {
    const ids = new Set();
    let cursor = '';
    for (let more = true; more;) {
      const page = await ask('get', `/v1/${list}?limit=3${cursor}`);
      page.data.forEach((item) => ids.add(item.id));
      more = page.has_more;
      cursor = `&starting_after=${page.data.at(-1)?.id}`;
    }
    const whole = await ask('get', `/v1/${list}?limit=100`);
    if (ids.size !== whole.data.length) description.wrong(`${list}: the pages hold ${ids.size} of ${whole.data.length}`);
  }
  const captured = await ask('get', '/v1/events?types[]=payment_intent.succeeded&limit=1');
  await ask('get', `/v1/events/${captured.data[0].id}`);

  // What the official library sent; pi_1 and dp_1 are not known here.
  const expected = { '/v1/payment_intents': 200 };
  const captures = JSON.parse(readFileSync(capturesFile, 'utf8')).captures.filter((c) => c.sdk === 'stripe');
  for (const capture of captures)
    await ask(capture.method.toLowerCase(), capture.url, undefined, { raw: capture.body, headers: capture.headers, expected: expected[capture.url] ?? 404 });
  await elsewhere('/_twin/clock', { advance_ms: 1000 });
}
