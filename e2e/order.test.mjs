// A customer orders: with scripts, without, by keyboard alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useShop } from './harness.mjs';
import { add, awake, badge, byHand, dish, heading, news, open, placeOrder, twoLattes } from './steps.mjs';

const shop = useShop({}, byHand);

for (const size of ['phone', 'laptop']) {
  test(`two lattes are ordered with scripts on a ${size}`, () =>
    shop.page({ size }, async (page) => {
      await open(page, '/');
      await page.getByRole('link', { name: 'Cosmic Coffee' }).click();
      await awake(page);
      const before = page.url();
      await dish(page, 'Nebula Latte').getByRole('button', { name: 'One more' }).click();
      await dish(page, 'Nebula Latte').getByRole('button', { name: 'Add Nebula Latte to cart' }).click();
      await news(page, 'Added to your cart');
      await badge(page, 2);
      assert.equal(page.url(), before, 'an addition does not leave the page');
      await page.locator('.toast').getByRole('link', { name: 'View cart' }).click();
      await heading(page, 'Your cart');
      assert.match(await page.locator('.sum').innerText(), /\$11\.98/);
      await page.getByRole('link', { name: 'Go to checkout' }).click();
      const shown = await page.locator('.receipt tfoot td').innerText();
      const id = await placeOrder(page);
      await page.getByText('Order received').first().waitFor();
      await awake(page);
      assert.equal(await page.locator('.receipt tfoot td').innerText(), shown, 'the price shown is the price charged');
      await badge(page, 0);
      const { body } = await shop.server.operator('GET', `/api/orders/${id}`);
      assert.equal(body.items[0].itemId, 'nebula-latte');
      assert.equal(body.items[0].quantity, 2);
      assert.equal(body.customerName, 'Ada Lovelace');
    }));
}

test('two lattes are ordered without scripts', () =>
  shop.page({ javaScript: false }, async (page) => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Cosmic Coffee' }).click();
    assert.equal(await page.locator('.step[type=button]:visible').count(), 0, 'buttons that would do nothing are not shown');
    await add(page, 'Nebula Latte', 2);
    await news(page, 'Added to your cart');
    await badge(page, 2);
    await page.getByRole('link', { name: /^Cart/ }).click();
    await page.getByRole('button', { name: 'One Nebula Latte more' }).click();
    await page.locator('.sum', { hasText: '$17.97' }).waitFor();
    await page.getByRole('button', { name: 'One Nebula Latte less' }).click();
    await page.locator('.sum', { hasText: '$11.98' }).waitFor();
    await page.getByRole('link', { name: 'Go to checkout' }).click();
    const id = await placeOrder(page, 'مريم 👩‍🚀 <b>');
    await page.getByText('Order received').first().waitFor();
    const { body } = await shop.server.operator('GET', `/api/orders/${id}`);
    assert.equal(body.customerName, 'مريم 👩‍🚀 <b>');
    assert.equal(body.items[0].quantity, 2);
    await page.goto('/orders');
    await page.getByText('2 × Nebula Latte').waitFor();
  }));

test('the theme is chosen without scripts', () =>
  shop.page({ javaScript: false, theme: 'dark' }, async (page) => {
    await page.goto('/about');
    await page.getByRole('button', { name: 'Light theme' }).click();
    await page.locator('html[data-theme=light]').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Theme as my system says' }).click();
    await page.locator('html[data-theme=auto]').waitFor({ state: 'attached' });
  }));

test('the theme changes at once with scripts and stays', () =>
  shop.page({ theme: 'dark' }, async (page) => {
    await open(page, '/');
    const kept = page.waitForResponse((response) => response.url().endsWith('/theme'));
    await page.getByRole('button', { name: 'Light theme' }).click();
    await page.locator('html[data-theme=light]').waitFor({ state: 'attached' });
    await kept;
    await page.reload();
    await page.locator('html[data-theme=light]').waitFor({ state: 'attached' });
  }));

test('a cart survives a reload and another page', () =>
  shop.page({}, async (page) => {
    await twoLattes(page);
    await page.reload();
    await awake(page);
    await badge(page, 2);
    await open(page, '/cart');
    await page.getByText('Nebula Latte').waitFor();
    await page.reload();
    await page.getByText('Nebula Latte').waitFor();
    await badge(page, 2);
  }));

test('cart lines change in place and keep the focus', () =>
  shop.page({}, async (page) => {
    await twoLattes(page);
    await open(page, '/cart');
    await page.getByRole('button', { name: 'One Nebula Latte more' }).click();
    await page.locator('.sum', { hasText: '$17.97' }).waitFor();
    await badge(page, 3);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'more-nebula-latte');
    await page.getByRole('button', { name: 'Remove Nebula Latte' }).click();
    await heading(page, 'Your cart is floating empty');
    await badge(page, 0);
  }));

test('an order is placed by keyboard alone', () =>
  shop.page({}, async (page) => {
    /** Presses Tab until the element with this accessible name has the focus. */
    const tabTo = async (name) => {
      for (let n = 0; n < 80; n += 1) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate(() => {
          const element = document.activeElement;
          const ring = getComputedStyle(element).outlineStyle !== 'none';
          const label = element.labels?.[0]?.textContent ?? '';
          return { name: element.getAttribute('aria-label') ?? (label || element.textContent), ring };
        });
        if (!focused.name.includes(name)) continue;
        assert.ok(focused.ring, `${name} shows that it has the focus`);
        return;
      }
      assert.fail(`Tab never reached ${name}`);
    };
    await open(page, '/restaurants/cosmic-coffee');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
    await page.keyboard.press('Enter');
    await tabTo('Quantity');
    await page.keyboard.type('2');
    await tabTo('Add Nebula Latte to cart');
    await page.keyboard.press('Enter');
    await news(page, 'Added to your cart');
    await tabTo('View cart');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/cart$/);
    await awake(page);
    await tabTo('Go to checkout');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/checkout$/);
    await awake(page);
    await tabTo('Who is it for?');
    await page.keyboard.type('Grace');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/orders\/.+/);
    await page.getByText('Order received').first().waitFor();
  }));

test('the status of an order changes while the page is open', () =>
  shop.page({}, async (page) => {
    await twoLattes(page);
    await open(page, '/checkout');
    const id = await placeOrder(page);
    await awake(page);
    await page.locator('.timeline .now', { hasText: 'Paid' }).waitFor();
    for (const [status, words] of [['accepted', 'Accepted by the kitchen'], ['preparing', 'Being cooked']]) {
      const { status: code } = await shop.server.operator('PATCH', `/api/orders/${id}`, { status });
      assert.equal(code, 200);
      await page.locator('.timeline .now', { hasText: words }).waitFor();
    }
    assert.equal(await page.locator('.timeline .done').count(), 3);
  }));

test('a stranger sees an order by its address, without the name', () =>
  shop.page({}, async (page) => {
    await twoLattes(page);
    await open(page, '/checkout');
    const id = await placeOrder(page, 'Only Mine');
    await page.getByText('Only Mine').waitFor();
    await shop.page({}, async (stranger) => {
      await open(stranger, `/orders/${id}`);
      await stranger.getByText('Nebula Latte').waitFor();
      assert.equal(await stranger.getByText('Only Mine').count(), 0);
      await open(stranger, '/orders');
      await heading(stranger, 'No orders yet');
    });
  }));

test('a jump within a page loads nothing, going back after a quick form loads the page of then', () =>
  shop.page({ allowStatus: [409] }, async (page) => {
    await open(page, '/restaurants/cosmic-coffee');
    await page.evaluate(() => (window.mark = 1));
    await page.locator('.jumps a').last().click();
    await page.waitForURL(/#c\d$/);
    await page.keyboard.press('Home');
    await add(page, 'Nebula Latte');
    await badge(page, 1);
    assert.equal(await page.evaluate(() => window.mark), 1, 'the page is still the same');
    await open(page, '/items/nebula-latte');
    await page.getByRole('spinbutton').fill('10');
    await page.getByRole('button', { name: 'Add Nebula Latte to cart' }).click();
    await heading(page, 'Ten of a dish is the limit');
    await page.getByRole('link', { name: 'To my cart' }).click();
    await heading(page, 'Your cart');
    await page.goBack();
    await heading(page, 'Nebula Latte');
  }));

test('restaurants are found by word, city and kitchen', () =>
  shop.page({}, async (page) => {
    await open(page, '/');
    const all = await page.locator('.world').count();
    assert.ok(all >= 6, `${all} restaurants`);
    await page.getByLabel('Kitchen').selectOption({ index: 1 });
    await page.getByRole('button', { name: 'Find' }).click();
    await page.waitForURL(/cuisine=/);
    assert.ok((await page.locator('.world').count()) < all);
    await page.goto('/?q=nothing+at+all');
    await page.getByRole('heading', { name: 'No kitchen in sight' }).waitFor();
  }));
