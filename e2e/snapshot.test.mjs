// What one platform saw, looked at on another: downloaded, read by a form, searched, opened, forgotten.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startServer, until, useShop } from './harness.mjs';
import { SIZES, heading, news, open } from './steps.mjs';

/** The other platform, whose order failed. */
let file;
let failedTrace;

const shop = useShop({}, async () => {
  const before = await startServer();
  try {
    await before.setFlag('cart-chaos-errors', '50-percent');
    const { body: cart } = await before.operator('POST', '/api/cart');
    const add = () => before.operator('POST', `/api/cart/${cart.id}/items`, { itemId: 'nebula-latte', quantity: 1 });
    await until('an addition fails', async () => (await add()).status === 503);
    await before.clearFlags();
    failedTrace = await until('its trace is kept', async () => {
      const { body } = await before.operator('GET', '/api/traces?outcome=error&flag=cart-chaos-errors');
      return body.traces[0];
    });
    const reply = await fetch(`${before.url}/api/telemetry/snapshot`, { headers: { authorization: `Bearer ${before.token}` } });
    assert.match(reply.headers.get('content-disposition'), /^attachment; filename="feast-telemetry-\d{4}-\d\d-\d\dT[\d-]+Z\.json\.gz"$/);
    file = { name: 'demo.json.gz', mimeType: 'application/gzip', buffer: Buffer.from(await reply.arrayBuffer()) };
  } finally {
    await before.stop();
  }
});

async function signIn(page) {
  await open(page, `/console?token=${shop.server.token}`);
  await page.waitForURL(/\/console\/overview$/);
  await open(page, '/console/snapshot');
  await heading(page, 'Snapshot');
}

async function read(page, what) {
  await page.getByLabel('File').setInputFiles(what);
  await page.getByRole('button', { name: 'Read the snapshot' }).click();
}

for (const javaScript of [true, false]) {
  test(`a failed trace of another platform is found, marked and forgotten, ${javaScript ? 'with' : 'without'} scripts`, () =>
    shop.page({ javaScript, allowStatus: [404] }, async (page) => {
      await signIn(page);
      await read(page, file);
      await page.getByRole('heading', { name: 'A snapshot is read' }).waitFor();
      await page.getByText('The snapshot is read').first().waitFor({ state: 'attached' });
      await page.locator('.imported-panel', { hasText: /Feast Flow .+ at 127\.0\.0\.1:\d+/ }).waitFor();
      if (javaScript) await shop.accessible(page);

      await page.locator('.imported-panel').getByRole('link', { name: 'Traces' }).click();
      await heading(page, 'Traces');
      await page.getByText('Nothing of it is happening now').waitFor();
      await page.getByLabel('Outcome').selectOption('error');
      await page.getByRole('button', { name: 'Search' }).click();
      const row = page.locator('.trace-row.failed', { hasText: 'cart-chaos-errors' }).first();
      await row.locator('.chip.imported').waitFor();
      await row.locator('.trace-name > a').first().click();
      await page.locator('.trace-head .chip.imported').waitFor();
      await page.locator('.span.flagged.failed').first().waitFor();
      if (javaScript) await shop.accessible(page);

      // What is live knows nothing of it.
      const { body } = await shop.server.operator('GET', '/api/traces?flag=cart-chaos-errors');
      assert.deepEqual(body.traces, []);
      assert.equal((await open(page, `/console/traces/${failedTrace.traceId}`)).status(), 200);
      await open(page, '/console/snapshot');
      await page.getByRole('button', { name: 'Forget it' }).click();
      await page.getByRole('heading', { name: 'A snapshot is read' }).waitFor({ state: 'detached' });
      assert.equal((await open(page, `/console/traces/${failedTrace.traceId}`)).status(), 404);
      await open(page, '/console/admin');
      for (const action of ['telemetry.imported', 'telemetry.forgotten']) await page.getByText(action, { exact: true }).first().waitFor();
    }));
}

test('a file that is no snapshot is refused beside its form, and the page goes on', () =>
  shop.page({ allowStatus: [400] }, async (page) => {
    await signIn(page);
    await read(page, { name: 'holiday.gz', mimeType: 'application/gzip', buffer: Buffer.from('not at all') });
    await page.getByRole('alert').filter({ hasText: 'The file cannot be unpacked' }).waitFor();
    await shop.accessible(page);
    await read(page, { ...file, buffer: file.buffer.subarray(0, file.buffer.length - 40) });
    await page.getByRole('alert').filter({ hasText: 'cut off' }).waitFor();
    await read(page, file);
    await page.getByRole('heading', { name: 'A snapshot is read' }).waitFor();
  }));

test('the link downloads a file that can be read again', () =>
  shop.page({}, async (page) => {
    await signIn(page);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download a snapshot' }).click()]);
    assert.match(download.suggestedFilename(), /^feast-telemetry-.+Z\.json\.gz$/);
    const buffer = await readFile(await download.path());
    await read(page, { name: download.suggestedFilename(), mimeType: 'application/gzip', buffer });
    await news(page, 'The snapshot is read');
  }));

for (const [size, theme] of [['phone', 'dark'], ['laptop', 'light'], ['projector', 'dark']]) {
  test(`pages of a snapshot are sound: ${size}, ${theme}`, () =>
    shop.page({ size: SIZES[size], theme }, async (page) => {
      await signIn(page);
      await read(page, file);
      await page.getByRole('heading', { name: 'A snapshot is read' }).waitFor();
      for (const path of ['snapshot', 'overview?source=imported', 'traces?source=imported', 'map?source=imported', 'logs?source=imported', 'traces']) {
        await open(page, `/console/${path}`);
        await shop.accessible(page);
        await shop.screenshot(page, `snapshot-${path.replace(/\W+/g, '-')}-${size}-${theme}`);
        await shop.fits(page);
      }
    }));
}
