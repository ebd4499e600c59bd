// The console in front of a busy platform: what its refreshes leave behind in the browser. `soak.mjs` does the same for minutes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until, useShop } from './harness.mjs';
import { look, watch } from './measure.mjs';
import { startSpans } from './spans.mjs';
import { awake, open } from './steps.mjs';

const SPANS_PER_SECOND = 1_000;
const REFRESH_DEADLINE_MS = 60_000;
/** By then charts, services and routes are all on the page. */
const WARM = 6;
const MORE = 10;
/** One page that was kept would be more nodes than this. */
const FEW_NODES = 1_000;

const shop = useShop();

async function overview(page) {
  await open(page, `/console?token=${shop.server.token}`);
  await page.waitForURL(/\/console\/overview$/);
  await awake(page);
  return watch(page);
}

async function busy(visit) {
  const spans = startSpans(shop.server, SPANS_PER_SECOND);
  try {
    await visit();
  } finally {
    const { refused } = await spans.stop();
    assert.equal(refused, 0, 'the receiver took every body');
  }
}

/** Waits until a page was refreshed so often since it is watched. */
const refreshed = (measured, times) => until(`${times} refreshes`, async () => (await measured.refreshes()) >= times, REFRESH_DEADLINE_MS);

test('refreshes under a stream of spans leave no nodes, listeners or memory behind, and come one at a time', () =>
  shop.page({}, (page) =>
    busy(async () => {
      const measured = await overview(page);
      await refreshed(measured, WARM);
      const before = await measured.held();
      await refreshed(measured, WARM + MORE);
      const after = await measured.held();
      assert.ok(after.nodes < before.nodes + FEW_NODES, `nodes: ${before.nodes}, then ${after.nodes}`);
      assert.ok(after.listeners <= before.listeners + 5, `listeners: ${before.listeners}, then ${after.listeners}`);
      assert.ok(after.heapBytes < before.heapBytes * 1.25 + 1_000_000, `heap: ${before.heapBytes}, then ${after.heapBytes}`);
      assert.equal((await measured.seen()).mostAtOnce, 1);
    }),
  ));

test('a page nobody looks at asks for nothing, and is up to date when it is looked at again', () =>
  shop.page({}, (page) =>
    shop.page({}, (other) =>
      busy(async () => {
        const [behind, front] = [await overview(page), await overview(other)];
        await refreshed(behind, 1);
        await look(page, false);
        const passes = async (times) => refreshed(front, (await front.refreshes()) + times);
        // What was asked before is answered still.
        await passes(2);
        const before = await behind.refreshes();
        await passes(4);
        assert.equal(await behind.refreshes(), before);
        await look(page, true);
        await refreshed(behind, before + 1);
      }),
    ),
  ));
