// Steps that several tests take.

import assert from 'node:assert/strict';

export const SIZES = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1280, height: 800 },
  projector: { width: 1920, height: 1080 },
};

/** Opens an address and waits until its islands are awake (with scripts) or simply until it is there. */
export async function open(page, path) {
  const response = await page.goto(path);
  await awake(page);
  return response;
}

/** Waits until the islands of the page answer to the finger. Without scripts there is nothing to wait for. */
export async function awake(page) {
  const scripts = await page.evaluate(() => matchMedia('(scripting: enabled)').matches).catch(() => false);
  if (scripts) await page.locator('html[data-awake]').waitFor({ state: 'attached' });
}

/** The card of a dish on a menu. */
export function dish(page, name) {
  return page.locator('.dish', { has: page.getByRole('heading', { name, exact: true }) });
}

/** Puts a dish of the open menu into the cart, as a customer does. */
export async function add(page, name, quantity = 1) {
  const card = dish(page, name);
  await card.getByRole('spinbutton').fill(String(quantity));
  await card.getByRole('button', { name: `Add ${name} to cart` }).click();
}

/** A cart with two Nebula Lattes. */
export async function twoLattes(page) {
  await open(page, '/restaurants/cosmic-coffee');
  await add(page, 'Nebula Latte', 2);
  await news(page, /in your cart|to your cart/i);
}

/** Waits for a sentence in the place where news appears. */
export async function news(page, text) {
  await page.locator('.toast', { hasText: text }).waitFor({ state: 'attached' });
}

/** From the checkout to the order's page; gives the order's id. */
export async function placeOrder(page, name = 'Ada Lovelace') {
  await page.getByLabel('Who is it for?').fill(name);
  await page.getByRole('button', { name: /^Place order/ }).click();
  await page.waitForURL(/\/orders\/.+/);
  return new URL(page.url()).pathname.split('/').pop();
}

/** Lets a kitchen wait for somebody's hand: otherwise its orders move by themselves. */
export async function byHand(shop, restaurant = 'cosmic-coffee') {
  const { status, body } = await shop.server.operator('PUT', `/api/restaurants/${restaurant}/autopilot`, { on: false });
  assert.ok(status < 300, `autopilot of ${restaurant}: ${status} ${JSON.stringify(body)}`);
}

/** Logs in as one of the accounts for demonstrations, by one click. */
export async function demo(page, who) {
  await open(page, '/login');
  await page.locator(`.demo button[value="demo-${who}"]`).click();
  await page.waitForURL((url) => url.pathname !== '/login');
  await awake(page);
}

export async function heading(page, text) {
  await page.getByRole('heading', { level: 1, name: text }).waitFor();
}

/** The number in the cart's badge. */
export async function badge(page, expected) {
  const shown = page.locator('.badge:not([hidden])');
  if (expected === 0) return assert.equal(await shown.count(), 0);
  await page.locator('.badge', { hasText: new RegExp(`^${expected}$`) }).waitFor({ state: 'visible' });
}
