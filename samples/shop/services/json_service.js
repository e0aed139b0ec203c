// What the Node services of the shop share: JSON over HTTP, /health, one JSON log line per event on
// stdout, and a stop that finishes what is under way. Nothing but Node's own modules.
import http from 'node:http';

const name = process.env.SERVICE_NAME ?? 'service';
const port = Number(process.env.PORT ?? 3000);
const kBodyLimit = 64 * 1024;

/** An answer that is not a success: thrown by a route, sent as {"error": message}. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function log(level, message, fields = {}) {
  const line = { time: new Date().toISOString(), service: name, level, message, ...fields };
  process.stdout.write(JSON.stringify(line) + '\n');
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > kBodyLimit) throw new Refusal(413, 'the body is too large');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}

/** The route for a method and path, and the values of its `:parameters`. */
function findRoute(routes, method, path) {
  const parts = path.split('/');
  for (const [key, answer] of Object.entries(routes)) {
    const [routeMethod, routePath] = key.split(' ');
    const routeParts = routePath.split('/');
    if (routeMethod !== method || routeParts.length !== parts.length) continue;
    const parameters = {};
    const matches = routeParts.every((part, i) => {
      if (!part.startsWith(':')) return part === parts[i];
      parameters[part.slice(1)] = decodeURIComponent(parts[i]);
      return parts[i] !== '';
    });
    if (matches) return { answer, parameters };
  }
  throw new Refusal(404, `${name} has no ${method} ${path}`);
}

/**
 * Serves `routes` on PORT until SIGTERM or SIGINT. A route is 'METHOD /path/:parameter' → an async
 * function of {parameters, query, readJson}, which returns [status, body].
 */
export function serve(routes) {
  const all = { 'GET /health': () => [200, { service: name, status: 'ok' }], ...routes };
  let stopping = false;

  const server = http.createServer(async (request, response) => {
    const begin = performance.now();
    let status, body;
    try {
      const url = new URL(request.url, 'http://service');
      const { answer, parameters } = findRoute(all, request.method, url.pathname);
      const json = () => readJson(request);
      [status, body] = await answer({ parameters, query: url.searchParams, readJson: json });
    } catch (error) {
      const known = error instanceof Refusal || error instanceof URIError;
      status = known ? error.status ?? 400 : 500;
      body = { error: known ? error.message : 'internal error' };
      if (!known) log('error', 'a route failed', { error: error.stack });
    }
    const headers = { 'content-type': 'application/json' };
    // An unread body leaves the connection unusable; a stopping server wants no further request.
    if (stopping || !request.complete) headers.connection = 'close';
    response.writeHead(status, headers).end(JSON.stringify(body) + '\n');
    const ms = Number((performance.now() - begin).toFixed(1));
    log('info', 'request', { method: request.method, path: request.url, status, ms });
  });

  server.on('error', (error) => {
    log('error', `cannot listen on port ${port}`, { error: error.message });
    process.exit(1);
  });
  server.listen(port, () => log('info', 'listening', { port }));

  const stop = (signal) => {
    if (stopping) return;
    stopping = true;
    log('info', 'stopping', { signal });
    server.close(() => {
      log('info', 'stopped');
      process.exit(0);
    });
    server.closeIdleConnections();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
