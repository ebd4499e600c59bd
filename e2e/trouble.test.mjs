// What people see when something goes wrong: a designed page with the right status, and a way on.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { useShop } from './harness.mjs';
import { add, awake, badge, heading, news, open, placeOrder, twoLattes } from './steps.mjs';

const shop = useShop();
afterEach(() => shop.server.clearFlags());

/** Adds until the fault strikes: half of the additions fail. */
async function addUntilRefused(page) {
  for (let n = 0; n < 40; n += 1) {
    const answered = page.waitForResponse((response) => response.request().method() === 'POST');
    await add(page, 'Nebula Latte');
    if ((await answered).status() === 503) return;
    await awake(page);
  }
  assert.fail('no addition failed');
}

for (const javaScript of [true, false]) {
  test(`a faulty cart shows a page whose button works once it heals, ${javaScript ? 'with' : 'without'} scripts`, () =>
    shop.page({ javaScript, allowStatus: [503, 409] }, async (page) => {
      await shop.server.setFlag('cart-chaos-errors', '50-percent');
      await open(page, '/restaurants/cosmic-coffee');
      await addUntilRefused(page);
      await heading(page, 'We lost contact for a moment');
      await page.getByText('FEATURE_FLAG_CHAOS').waitFor();
      await shop.server.clearFlags();
      const before = await count(page);
      await page.getByRole('button', { name: 'Try again' }).click();
      await heading(page, 'Cosmic Coffee');
      await badge(page, before + 1);
      await add(page, 'Lunar Cappuccino');
      await badge(page, before + 2);
    }));
}

async function count(page) {
  const shown = page.locator('.badge:not([hidden])');
  return (await shown.count()) ? Number(await shown.innerText()) : 0;
}

test('one broken dish does not break its menu', () =>
  shop.page({ allowStatus: [500] }, async (page) => {
    await shop.server.setFlag('menu-item-failure', 'nebula-latte');
    const response = await open(page, '/items/nebula-latte');
    assert.equal(response.status(), 500);
    await heading(page, 'Something fell into a black hole');
    await open(page, '/items/lunar-cappuccino');
    await heading(page, 'Lunar Cappuccino');
    await open(page, '/restaurants/cosmic-coffee');
    await page.getByRole('heading', { name: 'Nebula Latte' }).waitFor();
    await shop.server.clearFlags();
    await open(page, '/items/nebula-latte');
    await heading(page, 'Nebula Latte');
  }));

test('an order whose reply was lost is found by trying again, and is one order', () =>
  shop.page({ allowStatus: [502, 503, 504] }, async (page) => {
    await twoLattes(page);
    await open(page, '/checkout');
    await page.getByLabel('Who is it for?').fill('Lost And Found');
    await shop.server.setFlag('order-lost-reply', await lastVariant('order-lost-reply'));
    await page.getByRole('button', { name: /^Place order/ }).click();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await shop.server.clearFlags();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.waitForURL(/\/orders\/.+/);
    await page.getByText('Order received').first().waitFor();
    await open(page, '/orders');
    assert.equal(await page.locator('.ticket-row').count(), 1);
    await badge(page, 0);
  }));

/** The strongest variant of a flag. */
async function lastVariant(key) {
  const { body } = await shop.server.operator('GET', '/api/flags');
  return body.find((flag) => flag.key === key).variants.at(-1).name;
}

test('prices out of reach are a page that heals', () =>
  shop.page({ allowStatus: [503] }, async (page) => {
    await twoLattes(page);
    await shop.server.setFlag('middleware-unreachable', 'all');
    const response = await open(page, '/checkout');
    assert.equal(response.status(), 503);
    await heading(page, 'We lost contact for a moment');
    await shop.server.clearFlags();
    await page.getByRole('link', { name: 'Try again' }).click();
    await heading(page, 'Checkout');
  }));

/** Fault, its variant, the page it breaks, and one it leaves alone. */
const BROKEN = [
  ['store-down', 'cart', '/cart', '/restaurants/cosmic-coffee'],
  ['store-down', 'order', '/orders', '/cart'],
  ['readiness-failure', 'menu', '/', '/cart'],
  ['readiness-failure', 'cart', '/cart', '/'],
];

for (const [flag, variant, broken, whole] of BROKEN) {
  test(`${flag} of ${variant} breaks ${broken}, leaves ${whole} alone, and heals`, () =>
    shop.page({ allowStatus: [503] }, async (page) => {
      await twoLattes(page);
      await shop.server.setFlag(flag, variant);
      assert.equal((await open(page, broken)).status(), 503);
      await heading(page, 'We lost contact for a moment');
      assert.equal((await open(page, whole)).status(), 200);
      await shop.server.clearFlags();
      assert.equal((await open(page, broken)).status(), 200);
    }));
}

test('a dish that sold out is said on the menu and at the checkout', () =>
  shop.page({ allowStatus: [409] }, async (page) => {
    await open(page, '/restaurants/cosmic-coffee');
    await add(page, 'Galaxy Mocha', 3);
    await news(page, 'Added to your cart');
    await open(page, '/checkout');
    await page.getByLabel('Who is it for?').fill('Late');
    await shop.server.setFlag('inventory-shortage', await lastVariant('inventory-shortage'));
    const { status } = await shop.server.operator('PUT', '/api/inventory/galaxy-mocha', { stock: 2 });
    assert.equal(status, 200);
    await page.getByRole('button', { name: /^Place order/ }).click();
    await heading(page, 'Sold out, down to the last crumb');
    await open(page, '/items/galaxy-mocha');
    await page.getByText('Only 2 left').waitFor();
    await shop.server.operator('PUT', '/api/inventory/galaxy-mocha', { stock: 200 });
  }));

test('a dish of another restaurant offers a new cart or the old one', () =>
  shop.page({ allowStatus: [409] }, async (page) => {
    await twoLattes(page);
    await open(page, '/restaurants/event-horizon-ramen');
    const name = await page.locator('.dish h3').first().innerText();
    await add(page, name);
    await heading(page, 'One cart, one planet');
    await page.getByRole('link', { name: 'Keep my cart' }).click();
    await page.getByText('Nebula Latte').waitFor();
    await open(page, '/restaurants/event-horizon-ramen');
    await add(page, name);
    await page.getByRole('button', { name: 'Start a new cart' }).click();
    await heading(page, 'Event Horizon Ramen');
    await badge(page, 1);
    await open(page, '/cart');
    await page.getByRole('heading', { name }).waitFor();
    assert.equal(await page.getByText('Nebula Latte').count(), 0);
  }));

test('a cart that changed since the price was shown gets a new price, accepted by one press', () =>
  shop.page({ allowStatus: [409] }, async (page) => {
    await twoLattes(page);
    await open(page, '/checkout');
    await page.getByLabel('Who is it for?').fill('Second Thoughts');
    const other = await page.context().newPage();
    await open(other, '/restaurants/cosmic-coffee');
    await add(other, 'Lunar Cappuccino');
    await news(other, 'Added to your cart');
    await page.getByRole('button', { name: /^Place order/ }).click();
    await heading(page, 'A fresh price');
    const total = await page.locator('.receipt tfoot td').innerText();
    await page.getByRole('button', { name: 'Order for' }).click();
    await page.waitForURL(/\/orders\/.+/);
    assert.equal(await page.locator('.receipt tfoot td').innerText(), total);
    await page.getByText('Second Thoughts').waitFor();
  }));

test('a cart that is gone is told once, and the next addition starts a new one', () =>
  shop.page({ allowStatus: [404] }, async (page) => {
    await page.context().addCookies([{ name: 'feast_cart', value: 'gone-long-ago', url: shop.url }]);
    const response = await open(page, '/cart');
    assert.equal(response.status(), 404);
    await heading(page, 'This cart has drifted away');
    await open(page, '/cart');
    await heading(page, 'Your cart is floating empty');
    await page.context().addCookies([{ name: 'feast_cart', value: 'gone-long-ago', url: shop.url }]);
    await open(page, '/restaurants/cosmic-coffee');
    await add(page, 'Nebula Latte');
    await news(page, 'Your old cart had expired');
    await badge(page, 1);
  }));

test('eleven of a dish are refused and change nothing', () =>
  shop.page({ allowStatus: [409] }, async (page) => {
    await open(page, '/restaurants/cosmic-coffee');
    await add(page, 'Nebula Latte', 10);
    await badge(page, 10);
    await add(page, 'Nebula Latte', 1);
    await heading(page, 'Ten of a dish is the limit');
    await open(page, '/cart');
    await page.locator('.stepper output', { hasText: /^10$/ }).waitFor();
  }));

test('unknown places are designed pages with status 404', () =>
  shop.page({ allowStatus: [404] }, async (page) => {
    for (const path of ['/nowhere', '/restaurants/nowhere', '/items/nothing', '/orders/none', '/a/b/c?d=e']) {
      const response = await open(page, path);
      assert.equal(response.status(), 404, path);
      await page.locator('.scene h1').waitFor();
      await page.getByRole('link', { name: 'Feast Flow, to the restaurants' }).waitFor();
    }
  }));

test('a name that will not do is asked for again and keeps the wish', () =>
  shop.page({ javaScript: false, allowStatus: [400] }, async (page) => {
    await twoLattes(page);
    await page.goto('/checkout');
    await page.getByLabel('Who is it for?').fill('   ');
    await page.getByLabel(/A wish for the kitchen/).fill('no asteroids');
    await page.getByRole('button', { name: /^Place order/ }).click();
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByLabel(/A wish for the kitchen/).inputValue(), 'no asteroids');
    await placeOrder(page, 'Robert\'); DROP TABLE orders;--');
    await page.getByText('DROP TABLE').waitFor();
  }));

test('a checkout sent four times at once is one order', () =>
  shop.page({}, async (page) => {
    await twoLattes(page);
    await open(page, '/checkout');
    await page.getByLabel('Who is it for?').fill('Impatient');
    const form = await page.locator('form[action="/orders"]').evaluate((form) => Object.fromEntries(new FormData(form)));
    const send = () => page.request.post('/orders', { form, maxRedirects: 0, headers: { origin: shop.url } });
    const answers = await Promise.all([send(), send(), send(), send()]);
    const placed = answers.filter((answer) => answer.status() === 303).map((answer) => answer.headers().location);
    assert.ok(placed.length >= 1);
    assert.equal(new Set(placed).size, 1, placed.join(', '));
    assert.ok(answers.every((answer) => [303, 409].includes(answer.status())), answers.map((answer) => answer.status()).join(', '));
    await open(page, '/orders');
    assert.equal(await page.locator('.ticket-row').count(), 1);
    // The way back leads to no second order either: the checkout has nothing left to sell.
    await open(page, '/checkout');
    await heading(page, 'Your cart is floating empty');
  }));
