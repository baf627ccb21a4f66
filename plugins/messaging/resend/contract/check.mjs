// node check.mjs MODULES SPECS EXCHANGES URL: holds Resend's connector and the twin at URL against what Resend
// publishes. EXCHANGES: what the connector's tests sent and got, a JSON object a line.
// Prints what was checked; exit code 0 all conform, 1 not.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Description } from './description.mjs';
import { use } from './library.mjs';
import { drive } from './scenario.mjs';

const [modules, specs, exchanges, url] = process.argv.slice(2);
const require = createRequire(modules + '/');
const description = new Description(require, `${specs}/resend/resend.min.json`);

const sent = readFileSync(exchanges, 'utf8').split('\n').filter((line) => line);
// A file that holds nothing would conform to everything.
const least = 100;
if (sent.length < least) description.wrong(`the connector's tests exchanged ${sent.length} requests, not ${least} or more`);
for (const line of sent) {
  const { method, target, body, status, answer } = JSON.parse(line);
  description.request(method, target, body ? JSON.parse(body) : undefined);
  description.answer(method, target, status, JSON.parse(answer));
}
const library = await use(require, modules, url, description);
await drive(description, url, `${specs}/sdk-wire-captures.json`);

const { findings, counts } = description;
findings.forEach((finding) => console.log(`resend: ${finding}`));
console.log(`resend: ${sent.length} requests and answers are the connector's; resend ${library.version} made ${library.calls} calls; signatures were verified by ${library.verifiers.join(', ')}`);
console.log(`contracts: resend: ${counts.requests} requests, ${counts.answers} answers, ${library.verified} signatures, ${counts.notices} notices checked; skipped: nothing`);
process.exit(findings.length > 0 ? 1 : 0);
