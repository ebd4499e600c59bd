// A program in another language, with the SDKs it would use anyway: OpenFeature by OFREP for the flags, OpenTelemetry by OTLP/HTTP for
// what it does. Nothing here is ours but the addresses.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { startServer, until } from './harness.mjs';

const SERVICE = 'kitchen-display';

let server;
before(async () => void (server = await startServer()));
after(() => server?.stop());

describe('an OpenFeature SDK with its OFREP provider', () => {
  let flags;
  before(async () => {
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: server.url }));
    flags = OpenFeature.getClient(SERVICE);
  });
  after(() => OpenFeature.close());

  const evaluate = (context = {}) => flags.getObjectDetails('cart-slow', { none: true }, { targetingKey: 'display-7', ...context });

  test('sees a flag that is off, flipped, and off again', async () => {
    const off = await evaluate();
    assert.deepEqual([off.variant, off.reason, off.value], ['off', 'STATIC', { enabled: false }]);
    await server.setFlag('cart-slow', '300-ms');
    const on = await evaluate();
    assert.deepEqual([on.variant, on.value], ['300-ms', { enabled: true, latencyMs: 300 }]);
    assert.equal(on.flagMetadata.service, 'cart');
    await server.clearFlags();
    assert.equal((await evaluate()).variant, 'off');
  });

  test('is told what an audience is told', async () => {
    const flip = { variant: '1000-ms', audience: { kind: 'synthetic' } };
    assert.equal((await server.operator('PUT', '/api/flags/cart-slow', flip)).status, 200);
    const [robot, person] = [await evaluate({ synthetic: true }), await evaluate({ synthetic: false })];
    assert.deepEqual([robot.variant, robot.reason], ['1000-ms', 'TARGETING_MATCH']);
    assert.equal(person.variant, 'off');
    await server.clearFlags();
  });

  test('falls back to its own default for what does not exist or is of another type', async () => {
    const unknown = await flags.getBooleanDetails('no-such-flag', true);
    assert.deepEqual([unknown.value, unknown.errorCode], [true, 'FLAG_NOT_FOUND']);
    const object = await flags.getBooleanDetails('cart-slow', true);
    assert.deepEqual([object.value, object.errorCode], [true, 'TYPE_MISMATCH']);
  });
});

describe('an OpenTelemetry SDK with its OTLP exporters', () => {
  const resource = resourceFromAttributes({ 'service.name': SERVICE, 'service.version': '7' });
  const providers = [];
  let tracer, meter, logger;

  before(() => {
    const url = (signal) => `${server.url}/v1/${signal}`;
    // One signal as protobuf, one as JSON, one packed: a receiver must take them all.
    const traces = new NodeTracerProvider({
      resource,
      spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: url('traces') }))],
    });
    traces.register();
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: url('metrics') }),
      exportIntervalMillis: 60_000,
    });
    const metrics = new MeterProvider({ resource, readers: [reader] });
    const logs = new LoggerProvider({
      resource,
      processors: [new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter({ url: url('logs'), compression: 'gzip' }) })],
    });
    providers.push(traces, metrics, logs);
    [tracer, meter, logger] = [traces.getTracer(SERVICE), metrics.getMeter(SERVICE), logs.getLogger(SERVICE)];
  });
  after(() => Promise.all(providers.map((provider) => provider.shutdown())));

  const flush = () => Promise.all(providers.map((provider) => provider.forceFlush()));

  test('finds its spans, its logs and the shop that it called in one trace', async () => {
    const span = tracer.startSpan('show the menu', { kind: SpanKind.CLIENT, attributes: { 'display.id': 7 } });
    const { traceId } = span.spanContext();
    await context.with(trace.setSpan(context.active(), span), async () => {
      const headers = {};
      propagation.inject(context.active(), headers);
      assert.ok(headers.traceparent, 'the SDK carries W3C trace context');
      const menu = await fetch(`${server.url}/api/menu`, { headers });
      assert.equal(menu.status, 200);
      await menu.arrayBuffer();
      logger.emit({ severityNumber: SeverityNumber.INFO, severityText: 'INFO', body: 'Showed the menu on display 7' });
    });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'the display is dark' });
    span.end();
    await flush();

    const found = await until('the whole trace is there', async () => {
      const { status, body } = await server.operator('GET', `/api/traces/${traceId}`);
      const services = status === 200 ? body.summary.services : [];
      return ['server', 'menu', SERVICE].every((service) => services.includes(service)) && body.logs.length > 0 && body;
    });
    const ours = found.spans.find(({ service }) => service === SERVICE);
    assert.deepEqual([ours.name, ours.failed, ours.message, ours.depth], ['show the menu', true, 'the display is dark', 0]);
    assert.ok(ours.attributes.some(([name, value]) => name === 'display.id' && value === '7'));
    const edge = found.spans.find(({ service }) => service === 'server');
    assert.equal(edge.parentId, ours.spanId);
    const line = found.logs.find(({ service }) => service === SERVICE);
    assert.equal(line.message, 'Showed the menu on display 7');

    const search = `/api/traces?service=${SERVICE}&outcome=error&text=dark`;
    await until('the search finds it', async () => {
      const { body } = await server.operator('GET', search);
      return body.traces.some((summary) => summary.traceId === traceId);
    });
  });

  test('has its metrics taken', async () => {
    const pages = meter.createCounter('display.pages', { description: 'Pages shown', unit: '{page}' });
    const before = await server.operator('GET', '/api/overview');
    assert.equal(before.status, 200);
    pages.add(3, { 'display.id': 7 });
    meter.createHistogram('display.draw.duration', { unit: 's' }).record(0.2);
    meter.createGauge('display.brightness').record(0.8);
    // A refused export is an error here.
    await flush();
  });
});

test('what is not OTLP is refused with a reason, and the receiver lives', async () => {
  for (const [path, type, body] of [
    ['/v1/traces', 'application/x-protobuf', 'not protobuf at all'],
    ['/v1/logs', 'application/json', '{"resourceLogs": 3}'],
    ['/v1/metrics', 'text/plain', 'up 1'],
  ]) {
    const answer = await fetch(server.url + path, { method: 'POST', headers: { 'content-type': type }, body });
    assert.ok([400, 415].includes(answer.status), `${path}: ${answer.status}`);
    await answer.arrayBuffer();
  }
  const empty = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"resourceSpans": []}',
  });
  assert.equal(empty.status, 200);
  assert.deepEqual(await empty.json(), {});
});
