// user: who buys here. It keeps its users in memory, so every instance begins empty and the task
// `seed` fills it.
//
//   GET /users           every user
//   GET /users/ada       one user, or 404
//   PUT /users/ada       {"name": "Ada Lovelace"}: 201 when new, 200 when known
//   GET /health
import { Refusal, serve } from '../json_service.js';

const users = new Map();

serve({
  'GET /users': () => [200, [...users.values()]],

  'GET /users/:id': ({ parameters }) => {
    const user = users.get(parameters.id);
    if (!user) throw new Refusal(404, `no user "${parameters.id}"`);
    return [200, user];
  },

  'PUT /users/:id': async ({ parameters, readJson }) => {
    const { name } = (await readJson()) ?? {};
    if (typeof name !== 'string' || name === '') throw new Refusal(400, 'a user needs a "name"');
    const status = users.has(parameters.id) ? 200 : 201;
    const user = { id: parameters.id, name };
    users.set(user.id, user);
    return [status, user];
  },
});
