// node check.mjs MODULES SENT: lets standardwebhooks verify each request. SENT: what notify_wire_test saw arrive and
// which secrets have to verify it, a JSON object a line.
// Prints what is wrong and one line of what was checked; exit code 0 all verify, 1 not.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [modules, sentFile] = process.argv.slice(2);
const require = createRequire(modules + '/');
const { Webhook } = require('standardwebhooks');

const verdict = (secret, body, headers) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};

let checked = 0;
const wrong = [];
for (const line of readFileSync(sentFile, 'utf8').split('\n').filter(Boolean)) {
  const { body, headers, secrets } = JSON.parse(line);
  Date.now = () => Number(headers['webhook-timestamp']) * 1000; // the test's clock is virtual
  for (const secret of secrets) {
    if (!verdict(secret, body, headers)) wrong.push(`${headers['webhook-id']} does not verify`);
    ++checked;
  }
  if (verdict(secrets[0], body + ' ', headers)) wrong.push('another body verifies, too');
  if (verdict('whsec_b3RoZXI=', body, headers)) wrong.push('another secret verifies, too');
}
for (const each of wrong) console.log(each);
console.log(`contracts: standard webhooks: ${checked} signatures checked; skipped: nothing`);
process.exit(wrong.length || checked < 3 ? 1 : 0);
