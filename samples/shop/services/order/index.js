// order: takes orders, and asks `user` by name who the customer is. It listens on the same port as
// `user`: each has a network of its own. It refuses to start in a shop without users, which is why
// it depends on the completion of the task `seed`.
//
//   POST /orders             {"user": "ada", "item": "tea", "quantity": 2}: 201; 422 for a stranger
//   GET  /orders[?user=ada]  every order, or one user's
//   GET  /orders/1           one order, or 404
//   GET  /health
import { Refusal, log, serve } from '../json_service.js';

const userUrl = process.env.USER_URL ?? 'http://user:3000';
const orders = [];

async function askUser(path) {
  try {
    return await fetch(userUrl + path, { signal: AbortSignal.timeout(5000) });
  } catch (error) {
    const reason = error.cause?.message ?? error.message;
    throw new Refusal(503, `cannot ask "${userUrl}": ${reason}`);
  }
}

async function customerOf(id) {
  const answer = await askUser(`/users/${encodeURIComponent(id)}`);
  if (answer.status === 404) throw new Refusal(422, `no user "${id}"`);
  if (!answer.ok) throw new Refusal(502, `"${userUrl}" answered ${answer.status}`);
  return answer.json();
}

try {
  const known = await (await askUser('/users')).json();
  if (known.length === 0) throw new Error('the shop has no users: did "seed" run?');
  log('info', 'found users', { count: known.length });
} catch (error) {
  log('error', 'cannot start', { error: error.message });
  process.exit(1);
}

serve({
  'POST /orders': async ({ readJson }) => {
    const { user, item, quantity } = (await readJson()) ?? {};
    if (typeof user !== 'string' || typeof item !== 'string') {
      throw new Refusal(400, 'an order needs a "user" and an "item"');
    }
    if (!Number.isInteger(quantity) || quantity < 1) {
      throw new Refusal(400, 'a "quantity" is a whole number from 1');
    }
    const customer = await customerOf(user);
    const order = { id: orders.length + 1, user, customer: customer.name, item, quantity };
    orders.push(order);
    return [201, order];
  },

  'GET /orders': ({ query }) => {
    const user = query.get('user');
    return [200, orders.filter((order) => user === null || order.user === user)];
  },

  'GET /orders/:id': ({ parameters }) => {
    const order = orders.find((each) => String(each.id) === parameters.id);
    if (!order) throw new Refusal(404, `no order "${parameters.id}"`);
    return [200, order];
  },
});
