// seed: puts the first users into `user`, then ends. A task: `order` starts when it has ended well.
import { readFile } from 'node:fs/promises';

import { log } from '../json_service.js';

const userUrl = process.env.USER_URL ?? 'http://user:3000';
const users = JSON.parse(await readFile(new URL('users.json', import.meta.url), 'utf8'));

for (const [id, user] of Object.entries(users)) {
  const body = JSON.stringify(user);
  const answer = await fetch(`${userUrl}/users/${id}`, { method: 'PUT', body });
  if (!answer.ok) throw new Error(`"${userUrl}" refused user "${id}" with status ${answer.status}`);
  log('info', 'wrote user', { id });
}
