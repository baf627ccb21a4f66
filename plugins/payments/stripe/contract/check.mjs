// node check.mjs MODULES SPECS EXCHANGES URL: holds Stripe's connector and the twin at URL against what Stripe
// publishes. EXCHANGES: what the connector's tests sent and got, a JSON object a line.
// Prints what is wrong and one line of what was checked; exit code 0 all conform, 1 not.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Description } from './description.mjs';
import { use } from './library.mjs';
import { drive } from './scenario.mjs';

const [modules, specs, exchanges, url] = process.argv.slice(2);
const require = createRequire(modules + '/');
const description = new Description(require, `${specs}/stripe/spec3.noexpand.cut.min.json`);

const sent = readFileSync(exchanges, 'utf8').split('\n').filter((line) => line);
for (const line of sent) {
  const { method, target, body, status, answer } = JSON.parse(line);
  description.request(method.toLowerCase(), target, body); // also those that were refused
  description.answer(method.toLowerCase(), target, status, JSON.parse(answer));
}
await drive(description, url, `${specs}/sdk-wire-captures.json`);
const library = await use(require, url, (what) => description.wrong(what));

const { findings, counts } = description;
findings.forEach((finding) => console.log(`stripe: ${finding}`));
console.log(`stripe: ${sent.length} requests and answers are the connector's; stripe ${library.version} made ${library.calls} calls`);
console.log(`contracts: stripe: ${counts.requests} requests, ${counts.answers} answers, ${library.notices} signatures checked; skipped: nothing`);
process.exit(findings.length > 0 ? 1 : 0);
