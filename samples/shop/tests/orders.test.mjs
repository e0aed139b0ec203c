// A customer's way through the shop, in Node: the environment does not care what a test is
// written in. IsoEnv tells every test where the services are; their names would do as well.
import assert from 'node:assert/strict';
import test from 'node:test';

const gateway = process.env.ISOENV_GATEWAY_URL ?? 'http://gateway:8080';

async function place(user, item) {
  const body = JSON.stringify({ user, item, quantity: 1 });
  const answer = await fetch(`${gateway}/orders`, { method: 'POST', body });
  assert.equal(answer.status, 201);
  return answer.json();
}

test('orders placed at the same time are all kept, under different numbers', async () => {
  const items = Array.from({ length: 20 }, (_, i) => `book ${i}`);
  const placed = await Promise.all(items.map((item) => place('grace', item)));
  assert.equal(new Set(placed.map((order) => order.id)).size, items.length);

  const kept = await (await fetch(`${gateway}/orders?user=grace`)).json();
  for (const order of placed) {
    assert.deepEqual(kept.find((each) => each.id === order.id), order);
  }
});

test('a stranger cannot order', async () => {
  const body = JSON.stringify({ user: 'nobody', item: 'tea', quantity: 1 });
  const answer = await fetch(`${gateway}/orders`, { method: 'POST', body });
  assert.equal(answer.status, 422);
});
