// The operator's flag desk, and what a fault under load looks like from the console.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { startLoad, until, useShop } from './harness.mjs';
import { SIZES, awake, heading, news, open } from './steps.mjs';

const shop = useShop();
afterEach(() => shop.server.clearFlags());

async function signIn(page) {
  await open(page, `/console?token=${shop.server.token}`);
  await page.waitForURL(/\/console\/overview$/);
  await open(page, '/console/flags');
  await heading(page, 'Flags');
}

async function variant(key) {
  const { body } = await shop.server.operator('GET', '/api/flags');
  return body.find((flag) => flag.key === key);
}

test('the console tells strangers how to sign in', () =>
  shop.page({ allowStatus: [401] }, async (page) => {
    const response = await open(page, '/console/flags');
    assert.equal(response.status(), 401);
    await heading(page, 'The console is for operators');
    await shop.accessible(page);
  }));

for (const javaScript of [true, false]) {
  test(`a fault is flipped and cleared by one press each, ${javaScript ? 'with' : 'without'} scripts`, () =>
    shop.page({ javaScript }, async (page) => {
      await signIn(page);
      await page.getByRole('button', { name: 'cart-chaos-errors: 50-percent' }).click();
      await page.locator('#cart-chaos-errors.on').waitFor();
      assert.equal((await variant('cart-chaos-errors')).variant, '50-percent');
      await page.locator('#cart-chaos-errors').getByText(/ends in/).waitFor();
      await page.getByRole('button', { name: 'Clear cart-chaos-errors' }).click();
      await page.locator('#cart-chaos-errors:not(.on)').waitFor();
      assert.equal((await variant('cart-chaos-errors')).variant, 'off');
    }));
}

test('one key clears everything', () =>
  shop.page({}, async (page) => {
    await signIn(page);
    for (const [key, name] of [['cart-slow', '300-ms'], ['menu-item-failure', 'galaxy-mocha']]) {
      await page.getByRole('button', { name: `${key}: ${name}` }).click();
      await page.locator(`#${key}.on`).waitFor();
    }
    await awake(page);
    await page.keyboard.press('c');
    await page.getByText('Everything is at its default.').waitFor();
    assert.equal((await variant('cart-slow')).variant, 'off');
  }));

test('a fault for one browser leaves the others alone', () =>
  shop.page({ allowStatus: [500] }, async (page) => {
    await signIn(page);
    const card = page.locator('#menu-item-failure');
    await card.getByText('Audience and time').click();
    await card.getByLabel('Who').selectOption('session');
    await card.getByLabel('For').selectOption('60');
    await card.getByRole('button', { name: 'menu-item-failure: nebula-latte' }).click();
    await card.getByText('for one browser').waitFor();
    assert.equal((await open(page, '/items/nebula-latte')).status(), 500);
    await page.getByText('trace').waitFor();
    await shop.page({}, async (other) => {
      assert.equal((await open(other, '/items/nebula-latte')).status(), 200);
    });
  }));

test('a fault ends by itself and the desk says so', () =>
  shop.page({}, async (page) => {
    await shop.server.setFlag('cart-slow', '300-ms', 3);
    await signIn(page);
    await page.locator('#cart-slow.on').waitFor();
    await page.locator('#cart-slow:not(.on)').waitFor();
  }));

// A fault under load: flipped, proven, explained by its own traces, cleared, healed.

/** How many of the newest points of a chart must be without a failure to say that it healed. */
const HEALED_POINTS = 2;
const PROOF_DEADLINE_MS = 30_000;
const HEAL_DEADLINE_MS = 60_000;

/** Runs `visit` while played customers are busy. */
async function underLoad(visit) {
  const load = await startLoad(shop.server);
  try {
    await visit();
  } finally {
    await load.stop();
  }
}

/** Flips a variant on its card for an audience. */
async function flip(page, key, name, audience) {
  const card = page.locator(`#${key}`);
  if (audience) {
    await card.getByText('Audience and time').click();
    await card.getByLabel('Who').selectOption(audience);
  }
  await card.getByRole('button', { name: `${key}: ${name}` }).click();
  await page.locator(`#${key}.on`).waitFor();
  return card;
}

/** The columns of the chart of failures, oldest first, as what they say. */
const failures = (page) =>
  page.locator('.chart', { hasText: 'Failed' }).locator('.columns a').evaluateAll((columns) => columns.map((column) => column.title));

test('a fault is proven on its card, explained by its traces, cleared by one key, and heals', () =>
  shop.page({}, (page) =>
    underLoad(async () => {
      await signIn(page);
      const card = await flip(page, 'cart-chaos-errors', '15-percent-after-2s');
      await card.locator('.chip.seen').waitFor({ timeout: PROOF_DEADLINE_MS });
      await card.getByText('first effect after').waitFor();

      // From a point of the chart to a failed trace, and on it the flag.
      await page.keyboard.press('1');
      await heading(page, 'Overview');
      await awake(page);
      const failed = page.locator('.chart', { hasText: 'Failed' }).locator('.columns').getByTitle(/ failed, [1-9]/);
      await failed.last().waitFor({ state: 'attached' });
      // The newest: what failed before the flip was another test's.
      await failed.last().click();
      await heading(page, 'Traces');
      const row = page.locator('.trace-row.failed', { hasText: 'cart-chaos-errors' }).first();
      await until('the failed trace is listed', async () => (await row.count()) > 0 || (await page.reload(), false));
      await row.locator('.trace-name > a').first().click();
      const span = page.locator('.span.flagged.failed').first();
      await span.locator('.flag-chip', { hasText: 'cart-chaos-errors' }).waitFor();
      await span.locator('.chaos dd', { hasText: 'cart-chaos-errors' }).waitFor();
      await shop.screenshot(page, 'console-failed-trace');

      await awake(page);
      await page.keyboard.press('c');
      await news(page, 'All clear');
      assert.equal((await variant('cart-chaos-errors')).variant, 'off');
      await open(page, '/console/flags');
      await page.locator('#cart-chaos-errors .proof', { hasText: 'cleared' }).waitFor();
      await open(page, '/console/overview?service=cart');
      const healed = async () => (await failures(page)).slice(-HEALED_POINTS).every((says) => / failed, 0 of [1-9]/.test(says));
      await until('the cart heals', healed, HEAL_DEADLINE_MS);
    }),
  ));

test('a fault for the load generator alone never hits a person', () =>
  shop.page({}, (page) =>
    underLoad(async () => {
      await signIn(page);
      const card = await flip(page, 'cart-chaos-errors', '50-percent', 'synthetic');
      await card.getByText('for the load generator').waitFor();
      await card.locator('.chip.seen').waitFor({ timeout: PROOF_DEADLINE_MS });
      await open(page, '/restaurants/cosmic-coffee');
      // As the page's own script adds a dish; half of them would fail.
      const add = async () => {
        const form = new URLSearchParams({ itemId: 'nebula-latte', quantity: '1' });
        const reply = await fetch('/cart/items', { method: 'POST', body: form, headers: { accept: 'application/json' } });
        return reply.status;
      };
      for (let n = 0; n < 10; n += 1) assert.equal(await page.evaluate(add), 200, `addition ${n}`);
    }),
  ));

test('keys lead through the console', () =>
  shop.page({}, async (page) => {
    await signIn(page);
    for (const [key, name] of [['2', 'Traces'], ['3', 'Map'], ['4', 'Logs'], ['5', 'Flags'], ['6', 'Incidents'], ['7', 'Load'], ['8', 'Ledger'], ['9', 'Admin'], ['1', 'Overview']]) {
      await page.keyboard.press(key);
      await heading(page, name);
      await awake(page);
    }
    await page.keyboard.press('?');
    await page.getByText('every fault ends').waitFor({ state: 'visible' });
    await page.keyboard.press('2');
    await heading(page, 'Traces');
    await awake(page);
    await page.keyboard.press('/');
    await page.keyboard.type('c5');
    assert.equal(await page.locator('input[type=search]').inputValue(), 'c5', 'keys that are typed press nothing');
  }));

test('the console works without scripts', () =>
  shop.page({ javaScript: false }, async (page) => {
    await signIn(page);
    for (const path of ['overview', 'traces', 'map', 'logs', 'snapshot', 'incidents', 'load', 'policies', 'admin']) {
      assert.equal((await open(page, `/console/${path}`)).status(), 200, path);
    }
    await open(page, '/console/load');
    await page.getByRole('button', { name: 'A quiet day' }).click();
    await page.getByText('10 customers are wanted').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: false }).first().click();
    await open(page, '/console/incidents');
    await page.getByRole('button', { name: /^Rehearse: / }).first().click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.locator('.chip', { hasText: 'paused' }).waitFor();
    await page.getByRole('button', { name: 'Stop and clear' }).click();
    await page.getByRole('button', { name: /^Play: / }).first().waitFor();
  }));

const PAGES = ['overview', 'traces', 'map', 'logs', 'snapshot', 'flags', 'incidents', 'incidents?view=stage', 'load', 'policies', 'admin'];

for (const [size, theme] of [['phone', 'dark'], ['laptop', 'light'], ['projector', 'dark']]) {
  test(`the console's pages are sound: ${size}, ${theme}`, () =>
    shop.page({ size: SIZES[size], theme }, async (page) => {
      await signIn(page);
      for (const path of PAGES) {
        await open(page, `/console/${path}`);
        await shop.accessible(page);
        await shop.screenshot(page, `console-${path.replace(/\W+/g, '-')}-${size}-${theme}`);
        await shop.fits(page);
      }
    }));
}
