// The market from three windows at once: who orders, who cooks, who looks after it all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useShop } from './harness.mjs';
import { SIZES, add, awake, byHand, demo, news, open } from './steps.mjs';

const shop = useShop({}, byHand);

/** From paid to shown on the board. The product takes a tenth of it; a busy machine takes the rest. */
const SHOWN_WITHIN_MS = 1_500;
/** Two rides through the city, at the pace of a demonstration. */
const RIDE_DEADLINE_MS = 60_000;

/** Marks the document: a mark that is still there later says that it was never loaded again. */
const mark = (page) => page.evaluate(() => (window.marker = 'the same document'));
const stillTheSame = async (page, whose) =>
  assert.equal(await page.evaluate(() => window.marker), 'the same document', `the page of ${whose} was loaded again`);

/** Writes down when each order appears on the board, by the clock that the server has, too. */
async function watchBoard(page) {
  await page.evaluate(() => {
    window.appeared = {};
    const look = () => {
      for (const card of document.querySelectorAll('#new .order-card')) window.appeared[card.id] ??= Date.now();
    };
    look();
    new MutationObserver(look).observe(document.querySelector('.board'), { childList: true, subtree: true });
  });
}

/** Orders two lattes with an address and a promotion, through the pages; gives the order's id. */
async function order(page) {
  await open(page, '/restaurants/cosmic-coffee');
  await add(page, 'Nebula Latte', 2);
  await news(page, 'Added to your cart');
  await open(page, '/checkout');
  await page.getByLabel('Who is it for?').fill('Ada Lovelace');
  await page.getByRole('radio', { name: /^Another address/ }).check();
  await page.getByRole('textbox', { name: 'Another address' }).fill('Milky Way 42');
  await page.getByLabel(/Promotion code/).fill('WELCOME10');
  await page.getByRole('button', { name: 'Update price' }).click();
  await page.locator('.receipt', { hasText: 'WELCOME10' }).waitFor();
  await awake(page);
  await page.getByRole('button', { name: /^Place order · / }).click();
  await page.waitForURL(/\/orders\/.+/);
  await awake(page);
  return new URL(page.url()).pathname.split('/').pop();
}

const headline = (page, text) => page.locator('#live-headline', { hasText: text }).waitFor();

test('an order goes from the customer over the kitchen and the courier to the door, and no page is loaded again', (t) =>
  shop.page({}, (customer) =>
    shop.page({}, (kitchen) =>
      shop.page({}, async (operator) => {
        await demo(kitchen, 'cosmic-coffee');
        await open(kitchen, '/restaurant');
        await kitchen.getByText('All answered.').waitFor();
        await Promise.all([mark(kitchen), watchBoard(kitchen)]);

        await demo(customer, 'ada');
        const id = await order(customer);
        await mark(customer);
        await customer.getByText('Milky Way 42').waitFor();

        await kitchen.locator(`#new #card-${id}`).waitFor();
        const shownAt = await kitchen.evaluate((card) => window.appeared[card], `card-${id}`);
        const { body } = await shop.server.operator('GET', `/api/orders/${id}`);
        const paid = body.history.find((step) => step.status === 'paid');
        const took = shownAt - Date.parse(paid.at);
        t.diagnostic(`on the board ${took} ms after it was paid`);
        assert.ok(took < SHOWN_WITHIN_MS, `the board showed the order ${took} ms after it was paid`);
        await headline(customer, 'Paid');

        for (const [button, words] of [
          [/^Accept order/, 'Accepted by the kitchen'],
          [/^Start cooking order/, 'Being cooked'],
          [/^Ready order/, /Ready for pick-up|Courier on the way|On the way to you/],
        ]) {
          await kitchen.locator(`#card-${id}`).getByRole('button', { name: button }).click();
          await headline(customer, words);
        }
        await customer.locator('#live-headline', { hasText: 'Delivered' }).waitFor({ timeout: RIDE_DEADLINE_MS });
        await kitchen.locator(`#handed-over #card-${id}`, { hasText: 'Delivered' }).waitFor();
        await stillTheSame(customer, 'the customer');
        await stillTheSame(kitchen, 'the kitchen');

        await demo(operator, 'olive');
        await open(operator, '/console/outbox');
        await operator.locator('.message', { hasText: 'Your order at Cosmic Coffee' }).getByText(/^E-mail to/).waitFor();
        await operator.locator('.message', { hasText: 'Lift-off!' }).getByText(/^Text message to/).waitFor();
      }),
    ),
  ));

for (const [name, who, path] of [
  ['board', 'cosmic-coffee', '/restaurant'],
  ['rides', 'kim', '/courier'],
  ['ledger', 'olive', '/console/ledger'],
  ['overview', 'olive', '/console/overview'],
]) {
  test(`the page of staff is sound on a phone: ${name}`, () =>
    shop.page({ size: SIZES.phone }, async (page) => {
      await demo(page, who);
      await open(page, path);
      await shop.accessible(page);
      await shop.screenshot(page, `${name}-phone`);
      await shop.fits(page);
    }));
}
