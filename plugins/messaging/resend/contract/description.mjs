// Resend's published description as a judge: does a request, does an answer, does a notice conform to it?
// The description closes no object; here it is closed, so that a member which nobody knows is found.
import { readFileSync } from 'node:fs';

// What Resend answers though its description does not know it: its client library's types do.
const alsoKnown = {
  Email: ['scheduled_at', 'tags', 'topic_id'],
  CreateBatchEmailsResponse: ['errors'],
  GetReceivedEmailResponse: ['received_for'],
  ListReceivedEmailsResponse: ['received_for'],
  UpdateEmailOptions: ['object', 'id'],
};
// Members that may be null though the description says otherwise, by the same types.
const nullable = ['html', 'text', 'bcc', 'cc', 'reply_to', 'scheduled_at', 'topic_id'];

function closed(node, also) {
  if (Array.isArray(node)) return node.map((item) => closed(item, also));
  if (node === null || typeof node !== 'object') return node;
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value, also)]));
  if (out.properties && typeof out.properties === 'object' && out.additionalProperties === undefined) {
    for (const member of also) out.properties[member] ??= {};
    for (const member of nullable)
      if (also.length && out.properties[member]?.type) out.properties[member] = { anyOf: [out.properties[member], { type: 'null' }] };
    out.unevaluatedProperties = false;
  }
  return out;
}

export class Description {
  findings = [];
  counts = { requests: 0, answers: 0, notices: 0 };
  #compiled = new Map();

  constructor(require, file) {
    const Ajv = require('ajv/dist/2020').default;
    this.spec = JSON.parse(readFileSync(file, 'utf8'));
    for (const [name, schema] of Object.entries(this.spec.components.schemas))
      // The data of some events is put together of parts, which must stay open.
      this.spec.components.schemas[name] = name.endsWith('EventData') ? schema : closed(schema, alsoKnown[name] ?? []);
    this.ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
    this.queries = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
    for (const ajv of [this.ajv, this.queries]) {
      ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      ajv.addFormat('binary', true);
      ajv.addSchema({ $id: 'resend', components: this.spec.components });
    }
  }

  wrong(what) {
    this.findings.push(what);
  }

  // The operation of the description that this request is an instance of.
  #operation(method, target) {
    const given = target.split('?')[0].split('/');
    const fits = (known) => {
      const steps = known.split('/');
      return this.spec.paths[known][method.toLowerCase()] && steps.length === given.length &&
        steps.every((step, i) => step === given[i] || step.startsWith('{'));
    };
    // A path without variables goes first.
    const found = Object.keys(this.spec.paths).filter(fits).sort((a, b) => a.includes('{') - b.includes('{'))[0];
    if (!found) throw new Error(`the description has no ${method} ${target}`);
    return this.spec.paths[found][method.toLowerCase()];
  }

  #conforms(ajv, schema, value, what) {
    if (!this.#compiled.has(schema)) {
      const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"resend#/components/'));
      this.#compiled.set(schema, ajv.compile(absolute));
    }
    const check = this.#compiled.get(schema);
    if (!check(value)) this.wrong(`${what}: ${ajv.errorsText(check.errors.slice(0, 5))} ${JSON.stringify(value).slice(0, 300)}`);
  }

  request(method, target, body) {
    const operation = this.#operation(method, target);
    const parameters = (operation.parameters ?? []).map((p) => (p.$ref ? this.spec.components.parameters[p.$ref.split('/').pop()] : p));
    operation.asSchema ??= {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(parameters.filter((p) => p.in === 'query').map((p) => [p.name, p.schema])),
    };
    const query = Object.fromEntries(new URLSearchParams(target.split('?')[1] ?? ''));
    this.#conforms(this.queries, operation.asSchema, query, `request ${method} ${target}`);
    const described = operation.requestBody?.content['application/json'].schema;
    if (body !== undefined && described) this.#conforms(this.ajv, described, body, `request ${method} ${target}`);
    ++this.counts.requests;
  }

  answer(method, target, status, document) {
    const what = `answer ${status} ${method} ${target}`;
    const described = this.#operation(method, target).responses[status];
    if (described) this.#conforms(this.ajv, described.content['application/json'].schema, document, what);
    // Errors are not in the description; this is the form that the client library reads.
    else if (status < 400 || document.statusCode !== status || !/^[a-z_]+$/.test(document.name) || typeof document.message !== 'string')
      this.wrong(`${what}: ${JSON.stringify(document)}`);
    ++this.counts.answers;
  }

  notice(document) {
    const described = this.spec.webhooks[document.type];
    if (!described) return this.wrong(`the description has no notice ${document.type}`);
    this.#conforms(this.ajv, described.post.requestBody.content['application/json'].schema, document, `notice ${document.type}`);
    ++this.counts.notices;
  }
}
