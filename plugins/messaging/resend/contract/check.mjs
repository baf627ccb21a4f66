// node check.mjs MODULES SPECS EXCHANGES URL: holds Resend's connector and the twin at URL against what Resend
// publishes. EXCHANGES: what the connector's tests sent and got, a JSON object a line.
// Prints what was checked; exit code 0 all conform, 1 not.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { record } from '../../../../tests/contracts/recorder.mjs';
import { Description } from './description.mjs';
import { use } from './library.mjs';
import { drive } from './scenario.mjs';

const [modules, specs, exchanges, url] = process.argv.slice(2);
const require = createRequire(modules + '/');
const description = new Description(require, `${specs}/resend/resend.min.json`);

// A judge that finds nothing here would find nothing anywhere.
const faults = [
  () => description.request('POST', '/emails', { from: 'a@example.com', to: ['b@example.com'], subject: 'Hi', nonsense: 1 }),
  () => description.request('GET', '/emails?nonsense=1'),
  () => description.answer('GET', '/emails', 200, { object: 'list', has_more: false, data: [], nonsense: 1 }),
  () => description.answer('GET', '/emails/none', 404, { statusCode: 404, name: 'not_found' }),
  () => description.notice({ type: 'email.opened', created_at: 'yesterday', data: {} }),
];
for (const fault of faults) {
  fault();
  if (description.findings.splice(0).length === 0) throw new Error(`the description lets this pass: ${fault}`);
}
Object.assign(description.counts, { requests: 0, answers: 0, notices: 0 });

const sent = readFileSync(exchanges, 'utf8').split('\n').filter((line) => line);
// A file that holds nothing would conform to everything.
const least = 100;
if (sent.length < least) description.wrong(`the connector's tests exchanged ${sent.length} requests, not ${least} or more`);
const judge = ({ method, target, body, status, answer }) => {
  description.request(method, target, body ? JSON.parse(body) : undefined);
  description.answer(method, target, status, JSON.parse(answer));
};
sent.forEach((line) => judge(JSON.parse(line)));
const between = await record(url);
const library = await use(require, modules, between.url, description);
between.close();
between.exchanges.forEach(judge);
if (between.exchanges.length < library.calls) description.wrong(`of ${library.calls} calls of the library ${between.exchanges.length} were seen`);
await drive(description, url, `${specs}/sdk-wire-captures.json`);

const { findings, counts } = description;
findings.forEach((finding) => console.log(`resend: ${finding}`));
console.log(`resend: ${sent.length} requests and answers are the connector's; resend ${library.version} made ${library.calls} calls; signatures were verified by ${library.verifiers.join(', ')}`);
console.log(`contracts: resend: ${counts.requests} requests, ${counts.answers} answers, ${library.verified} signatures, ${counts.notices} notices checked; skipped: nothing`);
process.exit(findings.length > 0 ? 1 : 0);
