// Stripe's own client library against the twin: a payment's life in its words, a lost answer that it makes good by
// its own repetition, its error classes, and its verdict on the signatures of notices.
import { createServer } from 'node:http';

// Takes notices and keeps them as they came.
async function receive() {
  const notices = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      notices.push({ body: Buffer.concat(parts), signature: request.headers['stripe-signature'] });
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

export async function use(require, url, wrong) {
  const Stripe = require('stripe').default ?? require('stripe');
  const { hostname, port } = new URL(url);
  const options = { host: hostname, port, protocol: 'http', telemetry: false, maxNetworkRetries: 2 };
  const stripe = new Stripe('sk_test_x', options);
  let calls = 0;
  const call = async (promise) => (++calls, promise);
  const refused = async (promise, type, what) => {
    ++calls;
    const error = await promise.then(() => ({ type: 'nothing' }), (reason) => reason);
    if (error.type !== type) wrong(`library: ${what} was ${error.type}, not ${type}: ${error.message}`);
    return error;
  };
  const equal = (is, should, what) => is === should || wrong(`library: ${what} is ${is}, not ${should}`);

  const hook = await receive();
  const endpoint = await call(stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['*'] }));
  const held = await call(stripe.paymentIntents.create({
    amount: 250000, currency: 'eur', capture_method: 'manual', confirm: true, payment_method: 'pm_card_visa',
    payment_method_types: ['card'], metadata: { wedding: 'w1' },
  }));
  equal(held.status, 'requires_capture', 'an authorised payment');
  const captured = await call(stripe.paymentIntents.capture(held.id, { amount_to_capture: 200050 }));
  equal(captured.amount_received, 200050, 'what was captured');
  const refund = await call(stripe.refunds.create({ payment_intent: held.id, amount: 50025 }, { idempotencyKey: 'r1' }));
  const same = await call(stripe.refunds.create({ payment_intent: held.id, amount: 50025 }, { idempotencyKey: 'r1' }));
  equal(same.id, refund.id, 'a refund with the same key');
  await call(stripe.transfers.create({ amount: 100, currency: 'eur', destination: 'acct_dj', transfer_group: 'w1' }));
  const lines = await call(stripe.balanceTransactions.list({}, { stripeAccount: 'acct_dj' }));
  equal(lines.data[0].amount, 100, 'the line of the connected account');

  const declined = await refused(stripe.paymentIntents.create({ amount: 1, currency: 'eur', confirm: true, payment_method: 'pm_card_chargeDeclined' }), 'StripeCardError', 'a decline');
  equal(declined.decline_code, 'generic_decline', 'the reason of a decline');
  await refused(stripe.refunds.create({ payment_intent: held.id, amount: 1 }, { idempotencyKey: 'r1' }), 'StripeIdempotencyError', 'a key used twice');
  await refused(stripe.paymentIntents.retrieve('pi_none'), 'StripeInvalidRequestError', 'an unknown payment');
  await refused(new Stripe('nonsense', options).paymentIntents.list(), 'StripeAuthenticationError', 'a wrong key');

  // Carried out, the answer lost: the library sends it again by itself, with its key.
  await fetch(`${url}/_twin/fault`, { method: 'POST', body: JSON.stringify({ fault: 'reset', applied: true, method: 'POST', path: '/v1/payment_intents' }) });
  await call(stripe.paymentIntents.create({ amount: 777, currency: 'eur' }));
  const ids = new Set();
  let twice = 0;
  for await (const intent of stripe.paymentIntents.list({ limit: 5 })) {
    ids.add(intent.id);
    twice += intent.amount === 777 ? 1 : 0;
  }
  ++calls;
  equal(twice, 1, 'the number of payments of a request that was repeated');
  const state = await (await fetch(`${url}/_twin/state`)).json();
  if (!JSON.stringify(state).includes(`"payment_intents":${ids.size}`)) wrong(`library: it listed ${ids.size} payments, but ${JSON.stringify(state)}`);

  // The notices are Stripe's by the library's own verdict, and only unchanged.
  const events = (await call(stripe.events.list({ limit: 100 }))).data;
  await until(() => events.some((event) => event.type === 'transfer.created') && hook.notices.length >= 7);
  for (const { body, signature } of hook.notices) {
    try {
      const event = stripe.webhooks.constructEvent(body, signature, endpoint.secret);
      if (!events.some((known) => known.id === event.id)) wrong(`library: the notice ${event.id} is not in the log`);
    } catch (error) {
      wrong(`library: a notice was not accepted: ${error.message}`);
    }
    const changed = Buffer.from(body.toString().replace('"object"', '"objecT"'));
    for (const [bytes, secret] of [[changed, endpoint.secret], [body, 'whsec_other']]) {
      let accepted = true;
      try { stripe.webhooks.constructEvent(bytes, signature, secret); } catch { accepted = false; }
      if (accepted) wrong('library: a notice was accepted that was changed, or signed with another secret');
    }
  }
  if (hook.notices.length < 7) wrong(`library: only ${hook.notices.length} notices came`);
  await call(stripe.webhookEndpoints.del(endpoint.id));
  hook.server.close();
  hook.server.closeAllConnections();
  return { calls, notices: hook.notices.length, version: Stripe.PACKAGE_VERSION };
}
