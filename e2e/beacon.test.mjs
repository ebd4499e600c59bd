// What a browser saw is seen in the console: a trace begins where the finger was, and an error is a line of its page's trace.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until, useShop } from './harness.mjs';
import { add, awake, news, open } from './steps.mjs';

const shop = useShop();

const found = async (path) => (await shop.server.operator('GET', path)).body;

test('an addition to the cart is one trace from the browser to the menu', () =>
  shop.page({}, async (page) => {
    await open(page, '/restaurants/cosmic-coffee');
    await awake(page);
    await add(page, 'Nebula Latte', 1);
    await news(page, 'Added to your cart');
    const trace = await until('the call is in a trace', async () => {
      const { traces } = await found('/api/traces?service=browser&route=/cart/items');
      return traces[0] && found(`/api/traces/${traces[0].traceId}`);
    });
    assert.deepEqual([trace.spans[0].service, trace.spans[0].name], ['browser', 'POST /cart/items']);
    const services = new Set(trace.spans.map((span) => span.service));
    for (const service of ['server', 'cart', 'menu']) assert.ok(services.has(service), `${service} is not in ${[...services]}`);
    assert.equal(trace.orphans, 0);
  }));

test('how quickly a page was there is told when it is left', () =>
  shop.page({}, async (page) => {
    await open(page, '/restaurants/dim-sun');
    await awake(page);
    // Whoever leaves before anything was painted has nothing to tell of it.
    await page.evaluate(
      () => new Promise((seen) => new PerformanceObserver(() => seen()).observe({ type: 'largest-contentful-paint', buffered: true })),
    );
    await page.goto('/about');
    const view = await until('the view is in a trace', async () => {
      const { traces } = await found('/api/traces?service=browser&route=view');
      const trace = traces[0] && (await found(`/api/traces/${traces[0].traceId}`));
      return trace?.spans.find((span) => span.service === 'browser');
    });
    assert.equal(view.name, 'view /restaurants/{id}');
    const vitals = view.attributes.map(([key]) => key);
    for (const vital of ['web_vital.ttfb_ms', 'web_vital.lcp_ms']) assert.ok(vitals.includes(vital), `${vital} is not in ${vitals}`);
  }));
