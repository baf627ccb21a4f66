// node check.mjs MODULES SPECS EXCHANGES URL: holds Stripe's connector and the twin at URL against what Stripe
// publishes. EXCHANGES: what the connector's tests sent and got, a JSON object a line.
// Prints what is wrong and one line of what was checked; exit code 0 all conform, 1 not.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { record } from '../../../../tests/contracts/recorder.mjs';
import { Description } from './description.mjs';
import { use } from './library.mjs';
import { drive } from './scenario.mjs';

const [modules, specs, exchanges, url] = process.argv.slice(2);
const require = createRequire(modules + '/');
const description = new Description(require, `${specs}/stripe/spec3.noexpand.cut.min.json`);

// A judge that finds nothing here would find nothing anywhere.
const faults = [
  () => description.request('post', '/v1/disputes/dp_1', 'evidence[nonsense]=1'),
  () => description.request('post', '/v1/payment_intents', 'amount=1&currency=eur&transfer_data[nonsense]=1'),
  () => description.request('get', '/v1/disputes?nonsense=1'),
  () => description.answer('get', '/v1/account', 400, { error: { type: 'api_error', nonsense: 1 } }),
];
for (const fault of faults) {
  fault();
  if (description.findings.splice(0).length === 0) throw new Error(`the description lets this pass: ${fault}`);
}
Object.assign(description.counts, { requests: 0, answers: 0 });

const sent = readFileSync(exchanges, 'utf8').split('\n').filter((line) => line);
// A file that holds nothing would conform to everything.
const least = 100;
if (sent.length < least) description.wrong(`the connector's tests exchanged ${sent.length} requests, not ${least} or more`);
const judge = ({ method, target, body, status, answer }) => {
  description.request(method.toLowerCase(), target, body); // also those that were refused
  description.answer(method.toLowerCase(), target, status, JSON.parse(answer));
};
sent.forEach((line) => judge(JSON.parse(line)));
await drive(description, url, `${specs}/sdk-wire-captures.json`);
const between = await record(url);
const library = await use(require, between.url, (what) => description.wrong(what));
between.close();
between.exchanges.forEach(judge);
if (between.exchanges.length < library.calls) description.wrong(`of ${library.calls} calls of the library ${between.exchanges.length} were seen`);

const { findings, counts } = description;
findings.forEach((finding) => console.log(`stripe: ${finding}`));
console.log(`stripe: ${sent.length} requests and answers are the connector's; stripe ${library.version} made ${library.calls} calls`);
console.log(`contracts: stripe: ${counts.requests} requests, ${counts.answers} answers, ${library.notices} signatures checked; skipped: nothing`);
process.exit(findings.length > 0 ? 1 : 0);
