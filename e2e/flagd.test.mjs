// flagd's world: what we define and what we serve is valid by flagd's own schema, so that a real flagd loads it unchanged.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import Ajv from 'ajv';
import { startServer } from './harness.mjs';

const read = async (path) => JSON.parse(await readFile(new URL(`../${path}`, import.meta.url), 'utf8'));
const schema = (name) => read(`services/runtime/tests/conformance/flagd/schema/${name}.json`);

let valid;
before(async () => {
  // Formats and keywords beyond the draft are for editors; everything else is judged.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(await schema('targeting'));
  valid = ajv.compile(await schema('flags'));
});

function judged(document, what) {
  assert.ok(valid(document), `${what}: ${JSON.stringify(valid.errors, null, 2)}`);
}

let server;
before(async () => void (server = await startServer()));
after(() => server?.stop());

test('the definitions in the repository are valid', async () => judged(await read('flags/feast.flagd.json'), 'feast.flagd.json'));

test('the schema is read, and refuses what is wrong', async () => {
  const document = await read('flags/feast.flagd.json');
  for (const [what, spoil] of [
    ['state', (flag) => (flag.state = 'on')],
    ['variants of two types', (flag) => (flag.variants.off = 'no')],
    ['nested metadata', (flag) => (flag.metadata.more = { than: 'flat' })],
    ['targeting', (flag) => (flag.targeting = { fractional: [['on', 'ten']] })],
  ]) {
    const spoiled = structuredClone(document);
    spoil(spoiled.flags['cart-slow']);
    assert.ok(!valid(spoiled), what);
  }
});

test('what is served is valid under every audience of a flip', async () => {
  const audiences = [
    { kind: 'everyone' },
    { kind: 'synthetic' },
    { kind: 'session', value: 'somebody' },
    { kind: 'restaurant', value: 'cosmic-coffee' },
    { kind: 'city', value: 'Luna' },
    { kind: 'percent', value: 20 },
  ];
  for (const audience of audiences) {
    const flip = await server.operator('PUT', '/api/flags/cart-slow', { variant: '300-ms', audience });
    assert.equal(flip.status, 200, JSON.stringify(flip.body));
    const { body } = await server.operator('GET', '/api/flags/definitions');
    const flag = body.flags['cart-slow'];
    assert.ok(flag.targeting || flag.defaultVariant === '300-ms', 'the flip is in it');
    judged(body, JSON.stringify(audience));
  }
});
