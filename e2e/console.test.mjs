// The operator's flag desk.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { useShop } from './harness.mjs';
import { awake, heading, open } from './steps.mjs';

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
