// Every page, in both themes and at three sizes: nothing for axe-core to find, nothing on the console, a picture kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useShop } from './harness.mjs';
import { SIZES, awake, byHand, open, placeOrder, twoLattes } from './steps.mjs';

const shop = useShop({}, byHand);

/** Name of the picture, address, status. */
const PAGES = [
  ['home', '/', 200],
  ['nothing-found', '/?q=nothing+at+all', 200],
  ['menu', '/restaurants/cosmic-coffee', 200],
  ['item', '/items/nebula-latte', 200],
  ['empty-cart', '/cart', 200],
  ['no-orders', '/orders', 200],
  ['about', '/about', 200],
  ['not-found', '/nowhere', 404],
  ['sign-in', '/console/flags', 401],
];

async function judge(page, name) {
  await awake(page);
  await shop.accessible(page);
  await picture(page, name);
  await shop.fits(page);
}

/** As high as the page, so that what stands at the window's edge does not stand in the middle of the picture. */
async function picture(page, name) {
  const window = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: window.width, height: Math.max(height, window.height) });
  await shop.screenshot(page, name);
  await page.setViewportSize(window);
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const theme of ['dark', 'light']) {
    test(`pages for everybody are sound: ${size}, ${theme}`, () =>
      shop.page({ size: viewport, theme, allowStatus: [401, 404] }, async (page) => {
        for (const [name, path, status] of PAGES) {
          const response = await open(page, path);
          assert.equal(response.status(), status, path);
          await judge(page, `${name}-${size}-${theme}`);
        }
      }));

    test(`the way of an order is sound: ${size}, ${theme}`, () =>
      shop.page({ size: viewport, theme, allowStatus: [409] }, async (page) => {
        await twoLattes(page);
        await judge(page, `added-${size}-${theme}`);
        await open(page, '/cart');
        await judge(page, `cart-${size}-${theme}`);
        await open(page, '/restaurants/event-horizon-ramen');
        await page.locator('.dish').first().getByRole('button', { name: /^Add / }).click();
        await page.getByRole('heading', { name: 'One cart, one planet' }).waitFor();
        await judge(page, `other-restaurant-${size}-${theme}`);
        await open(page, '/checkout');
        await judge(page, `checkout-${size}-${theme}`);
        const id = await placeOrder(page);
        await judge(page, `order-${size}-${theme}`);
        await shop.server.operator('PATCH', `/api/orders/${id}`, { status: 'cancelled' });
        await page.locator('.headline', { hasText: 'Cancelled' }).waitFor();
        await judge(page, `order-cancelled-${size}-${theme}`);
        await open(page, '/orders');
        await judge(page, `orders-${size}-${theme}`);
      }));

    test(`the flag desk is sound: ${size}, ${theme}`, () =>
      shop.page({ size: viewport, theme, allowStatus: [503] }, async (page) => {
        await open(page, `/console?token=${shop.server.token}`);
        await open(page, '/console/flags');
        await page.getByRole('heading', { name: 'Flags' }).waitFor();
        await page.getByRole('button', { name: 'middleware-unreachable: all' }).click();
        await page.locator('#middleware-unreachable.on').waitFor();
        await page.locator('#middleware-unreachable summary').click();
        await judge(page, `flags-${size}-${theme}`);
        await twoLattes(page);
        await open(page, '/checkout');
        await page.getByRole('heading', { name: 'We lost contact for a moment' }).waitFor();
        await judge(page, `service-down-${size}-${theme}`);
        await shop.server.clearFlags();
      }));
  }
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const theme of ['dark', 'light']) {
    test(`the API's page is sound: ${size}, ${theme}`, () =>
      shop.page({ size: viewport, theme }, async (page) => {
        await open(page, '/api/docs');
        await awake(page);
        await shop.screenshot(page, `api-${size}-${theme}`, { whole: false });
        const call = page.locator('details.call', { has: page.locator('#placeOrder') });
        await call.locator('> summary').focus();
        await page.keyboard.press('Enter');
        await page.locator('#placeOrder').getByText('CART_ALREADY_ORDERED').waitFor();
        // The longest page there is: what axe-core finds depends on colours, and hardly on the width.
        if (size === 'phone') await shop.accessible(page);
        await call.scrollIntoViewIfNeeded();
        await shop.screenshot(page, `api-call-${size}-${theme}`, { whole: false });
        await page.locator('#type-cart').scrollIntoViewIfNeeded();
        await shop.screenshot(page, `api-types-${size}-${theme}`, { whole: false });
        await shop.fits(page);
      }));
  }
}

test('a link to a call opens it', () =>
  shop.page({}, async (page) => {
    await open(page, '/api/docs#addCartItem');
    await page.locator('#addCartItem').waitFor({ state: 'visible' });
  }));

test('a page is whole before its scripts arrive and does not move when they do', () =>
  shop.page({}, async (page) => {
    await page.addInitScript(() => {
      window.moved = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.moved += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    for (const path of ['/', '/restaurants/cosmic-coffee', '/cart']) {
      await open(page, path);
      assert.ok((await page.evaluate(() => window.moved)) < 0.01, path);
    }
  }));

test('a page brings its title, its description and nothing from elsewhere', () =>
  shop.page({ allowStatus: [404] }, async (page) => {
    const elsewhere = [];
    page.on('request', (request) => request.url().startsWith(shop.url) || elsewhere.push(request.url()));
    const titles = new Set();
    for (const path of ['/', '/restaurants/cosmic-coffee', '/items/nebula-latte', '/cart', '/orders', '/about', '/nowhere']) {
      await open(page, path);
      titles.add(await page.title());
      assert.ok(await page.locator('meta[name=description]').getAttribute('content'), path);
      assert.equal(await page.locator('h1').count(), 1, `${path} has one main heading`);
    }
    assert.equal(titles.size, 7, [...titles].join(', '));
    assert.deepEqual(elsewhere, []);
  }));

test('every link of every page leads somewhere', () =>
  shop.page({}, async (page) => {
    const seen = new Set();
    const waiting = ['/'];
    while (waiting.length) {
      const path = waiting.pop();
      const response = await page.request.get(path);
      // The console asks strangers to sign in.
      assert.ok(response.ok() || (path.startsWith('/console') && response.status() === 401), `${path}: ${response.status()}`);
      if (!response.headers()['content-type'].startsWith('text/html')) continue;
      for (const [, href] of (await response.text()).matchAll(/<a[^>]* href="([^"#?]*)/g)) {
        if (!href.startsWith('/') || seen.has(href)) continue;
        seen.add(href);
        waiting.push(href);
      }
    }
    assert.ok(seen.size > 80, `${seen.size} links`);
  }));
