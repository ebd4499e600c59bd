// A platform that is very busy, as its telemetry looks: OTLP in JSON, gzip, at a steady rate, from a thread of its own.
//
//   const spans = startSpans(server, 10_000);   // a second
//   ...
//   const { sent, refused } = await spans.stop();
//
// Traces are of our own services and routes, so that they stand on the charts, the map and the list as load would: ten spans each, one in
// fifty failed by a flag, one in fifty slow.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { gzip } from 'node:zlib';

const SPANS_PER_TRACE = 10;
/** Bodies a second: what an SDK's batch processor does, of ten processes. */
const BODIES_PER_SECOND = 10;
/** Bodies on their way at once; beyond, the receiver is the slower one and the rate is missed. */
const MOST_AT_ONCE = 4;
/** Of so many spans one has a log line. */
const SPANS_PER_LINE = 100;

const KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const ROUTES = ['POST /api/orders', 'GET /restaurants/{id}', 'POST /cart/items', 'GET /api/menu', 'GET /orders/{id}', 'GET /cart', 'POST /checkout', 'POST /api/quotes'];
const FLAG = 'cart-chaos-errors';

/** What a trace is made of: service, name, kind, parent (by number), when it begins and how long it takes in shares of the whole. */
function shape(route) {
  const [method, path] = route.split(' ');
  return [
    ['server', route, KIND.server, -1, 0, 1, { 'http.request.method': method, 'http.route': path, 'http.response.status_code': 200, synthetic: true }],
    ['server', 'cart.get', KIND.client, 0, 0.05, 0.3, { 'peer.service': 'cart', 'http.request.method': 'GET' }],
    ['cart', 'GET /cart/{id}', KIND.server, 1, 0.07, 0.25, { 'http.request.method': 'GET', 'http.route': '/cart/{id}', 'http.response.status_code': 200 }],
    ['cart', 'read carts', KIND.client, 2, 0.1, 0.1, { 'db.system.name': 'redis', 'db.collection.name': 'carts', 'db.operation.name': 'read' }],
    ['server', 'order.place', KIND.client, 0, 0.4, 0.5, { 'peer.service': 'order', 'http.request.method': 'POST' }],
    ['order', 'POST /api/orders', KIND.server, 4, 0.42, 0.45, { 'http.request.method': 'POST', 'http.route': '/api/orders', 'http.response.status_code': 201 }],
    ['order', 'middleware.reserve', KIND.client, 5, 0.45, 0.2, { 'peer.service': 'middleware', 'http.request.method': 'POST' }],
    ['middleware', 'POST /reservations', KIND.server, 6, 0.47, 0.15, { 'http.request.method': 'POST', 'http.route': '/reservations', 'http.response.status_code': 200 }],
    ['order', 'insert orders', KIND.client, 5, 0.7, 0.1, { 'db.system.name': 'sqlite', 'db.collection.name': 'orders', 'db.operation.name': 'insert' }],
    ['payment', 'process order.created', KIND.consumer, 5, 0.9, 0.1, { 'messaging.system': 'memory', 'event.kind': 'order.created' }],
  ];
}

function attribute([key, value]) {
  const text = typeof value === 'number' ? { intValue: String(value) } : typeof value === 'boolean' ? { boolValue: value } : { stringValue: value };
  return { key, value: text };
}

const attributes = (pairs) => JSON.stringify(Object.entries(pairs).map(attribute));

/** Shapes with everything written out that is the same in each trace. */
const TEMPLATES = ROUTES.map((route) =>
  shape(route).map(([service, name, kind, parent, begins, takes, pairs]) => ({
    service,
    parent,
    begins,
    takes,
    head: `"name":${JSON.stringify(name)},"kind":${kind}`,
    well: attributes(pairs),
    failed: attributes({ ...pairs, 'http.response.status_code': 503, 'chaos.flag': FLAG, 'chaos.injected': true }),
  })),
);

/** Adds the spans of one trace to `groups`, which are by service. */
function trace(number, nowMs, groups) {
  const ids = randomBytes(16 + 8 * SPANS_PER_TRACE).toString('hex');
  const failed = number % 50 === 7;
  const tookMs = number % 50 === 11 ? 1_400 : 4 + (number % 37);
  const id = (n) => ids.slice(32 + 16 * n, 48 + 16 * n);
  TEMPLATES[number % TEMPLATES.length].forEach((span, n) => {
    const broken = failed && n <= 2;
    const startMs = nowMs - tookMs * (1 - span.begins);
    const at = (ms) => `${Math.floor(ms)}${String(Math.floor((ms % 1) * 1e6)).padStart(6, '0')}`;
    const parent = span.parent < 0 ? '' : `"parentSpanId":"${id(span.parent)}",`;
    const status = broken ? ',"status":{"code":2,"message":"injected"}' : '';
    const text = `{"traceId":"${ids.slice(0, 32)}","spanId":"${id(n)}",${parent}${span.head},"startTimeUnixNano":"${at(startMs)}","endTimeUnixNano":"${at(startMs + tookMs * span.takes)}","attributes":${broken ? span.failed : span.well}${status}}`;
    const group = groups.get(span.service);
    if (group) group.push(text);
    else groups.set(span.service, [text]);
  });
  return ids.slice(0, 32);
}

const resource = (service) => `"resource":{"attributes":${attributes({ 'service.name': service })}}`;

function traces(from, count, nowMs) {
  const groups = new Map();
  let last;
  for (let n = from; n < from + count; n += 1) last = trace(n, nowMs, groups);
  const resources = [...groups].map(([service, spans]) => `{${resource(service)},"scopeSpans":[{"spans":[${spans.join()}]}]}`);
  return [`{"resourceSpans":[${resources.join()}]}`, last];
}

function lines(count, nowMs, traceId) {
  const record = (n) => {
    const [number, text] = n % 10 === 0 ? [13, 'Feature flag triggered chaos'] : [9, `Accepted order ${n}`];
    return `{"timeUnixNano":"${Math.floor(nowMs)}000000","severityNumber":${number},"body":{"stringValue":"${text}"},"traceId":"${traceId}"}`;
  };
  const records = Array.from({ length: count }, (_, n) => record(n));
  return `{"resourceLogs":[{${resource('order')},"scopeLogs":[{"logRecords":[${records.join()}]}]}]}`;
}

const pack = promisify(gzip);

/** Sends until it is told to stop, and says how much that was. */
async function send({ url, perSecond }) {
  const tally = { sent: 0, refused: 0, seconds: 0 };
  let stopped = false;
  parentPort.once('message', () => (stopped = true));
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const reply = await fetch(url + path, { method: 'POST', headers, body: await pack(body, { level: 1 }) }).catch(() => undefined);
    await reply?.arrayBuffer();
    return reply?.ok ?? false;
  };
  const tracesPerBody = Math.max(1, Math.round(perSecond / BODIES_PER_SECOND / SPANS_PER_TRACE));
  const linesPerBody = Math.round((tracesPerBody * SPANS_PER_TRACE) / SPANS_PER_LINE);
  const everyMs = (1_000 * tracesPerBody * SPANS_PER_TRACE) / perSecond;
  const underWay = new Set();
  const begin = performance.now();
  let due = begin;
  for (let number = 0; !stopped; number += tracesPerBody) {
    due = Math.max(due + everyMs, performance.now() - 1_000);
    await pause(Math.max(0, due - performance.now()));
    while (underWay.size >= MOST_AT_ONCE) await Promise.race(underWay);
    const [body, traceId] = traces(number, tracesPerBody, Date.now());
    const work = post('/v1/traces', body).then((taken) => {
      tally[taken ? 'sent' : 'refused'] += tracesPerBody * SPANS_PER_TRACE;
    });
    const told = linesPerBody > 0 ? post('/v1/logs', lines(linesPerBody, Date.now(), traceId)) : undefined;
    const both = Promise.all([work, told]).finally(() => underWay.delete(both));
    underWay.add(both);
  }
  await Promise.all(underWay);
  tally.seconds = (performance.now() - begin) / 1_000;
  parentPort.postMessage(tally);
  parentPort.close();
}

if (!isMainThread && workerData?.perSecond) await send(workerData);

/** Begins to send so many spans a second to a server. `stop` gives how many were taken and refused, and in how many seconds. */
export function startSpans(server, perSecond) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url: server.url, perSecond } });
  const done = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  // Whoever stops it hears of an error.
  done.catch(() => {});
  return {
    async stop() {
      worker.postMessage('stop');
      return done;
    },
  };
}
