// Stripe's published description as a judge: does a request, does an answer conform to it?
import { readFileSync } from 'node:fs';

// OpenAPI 3.0 says "nullable" where JSON Schema has a type. The description closes bodies, but neither the objects in
// them nor answers; here these are closed, too, so that a member which nobody knows is found.
function toJsonSchema(node) {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (node === null || typeof node !== 'object') return node;
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, toJsonSchema(value)]));
  if (out.type === 'object' && out.properties) out.additionalProperties ??= false;
  if (node.nullable !== true) return out;
  delete out.nullable;
  return { anyOf: [out, { type: 'null' }] };
}

export class Description {
  findings = [];
  counts = { requests: 0, answers: 0 };
  #compiled = new Map();

  constructor(require, file) {
    const Ajv = require('ajv').default;
    this.qs = require('qs');
    this.spec = toJsonSchema(JSON.parse(readFileSync(file, 'utf8')));
    const options = { strict: false, validateFormats: false, allErrors: true };
    this.forms = new Ajv({ ...options, coerceTypes: true });
    this.answers = new Ajv(options);
    for (const ajv of [this.forms, this.answers]) ajv.addSchema({ $id: 'stripe', components: this.spec.components });
  }

  wrong(what) {
    this.findings.push(what);
  }

  // The operation of the description that this request is an instance of.
  #operation(method, path) {
    const given = path.split('/');
    const found = Object.keys(this.spec.paths).find((known) => {
      const steps = known.split('/');
      return this.spec.paths[known][method] && steps.length === given.length &&
        steps.every((step, i) => step === given[i] || step.startsWith('{'));
    });
    if (!found) throw new Error(`the description has no ${method} ${path}`);
    return this.spec.paths[found][method];
  }

  #conforms(ajv, schema, value, what) {
    if (!this.#compiled.has(schema)) {
      const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"stripe#/components/'));
      this.#compiled.set(schema, ajv.compile(absolute));
    }
    const check = this.#compiled.get(schema);
    if (!check(value)) this.wrong(`${what}: ${ajv.errorsText(check.errors.slice(0, 5))}`);
  }

  // What a query may be, as one schema.
  #query(operation) {
    operation.asSchema ??= {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries((operation.parameters ?? []).filter((p) => p.in === 'query').map((p) => [p.name, p.schema])),
    };
    return operation.asSchema;
  }

  request(method, target, form) {
    const [path, query] = target.split('?');
    const operation = this.#operation(method, path);
    const what = `request ${method} ${target}`;
    if (query) this.#conforms(this.forms, this.#query(operation), this.qs.parse(query, { depth: 10 }), what);
    if (form) {
      const { schema } = operation.requestBody.content['application/x-www-form-urlencoded'];
      this.#conforms(this.forms, schema, this.qs.parse(form, { depth: 10 }), `${what} ${form}`);
    }
    ++this.counts.requests;
  }

  answer(method, target, status, document) {
    const operation = this.#operation(method, target.split('?')[0]);
    const described = operation.responses[status === 200 ? '200' : 'default'];
    this.#conforms(this.answers, described.content['application/json'].schema, document, `answer ${method} ${target}`);
    ++this.counts.answers;
  }
}
