// A shop that lets one client ask five times a second.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until, useShop } from './harness.mjs';
import { heading } from './steps.mjs';

const shop = useShop({ env: { RATE_LIMIT: '5' } });

test('too many requests are a page that says so, and trying again works', () =>
  shop.page({ allowStatus: [429] }, async (page) => {
    await page.goto('/about');
    await until('the limit is reached', async () => (await page.goto('/about')).status() === 429);
    await heading(page, 'Easy, astronaut');
    await shop.accessible(page);
    await until('trying again works', async () => {
      await page.getByRole('link', { name: 'Try again' }).click();
      await page.waitForLoadState();
      return (await page.title()).startsWith('About');
    });
    await heading(page, 'A shop that is built to be broken on stage');
  }));

test('a refused request says when to ask again', () =>
  shop.page({}, async (page) => {
    const refused = await until('the limit is reached', async () => {
      const answer = await page.request.get('/about');
      return answer.status() === 429 && answer;
    });
    assert.ok(Number(refused.headers()['retry-after']) >= 1);
    await until('the limit has passed', async () => (await page.request.get('/about')).ok());
  }));
