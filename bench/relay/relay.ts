/**
 * `relay.ts HOST PORT BYTES`: a port on loopback that leads to that of the database server, on which each connection
 * receives at most so many bytes a second. So does a network path, or a backend that has a processor for itself only.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

const [, , host = '', port = '', bytesPerSecond = ''] = process.argv;

/** Milliseconds for which a connection may catch up after a pause. */
const BURST_MS = 20;

/** Milliseconds that a connection may be ahead of its limit: a pause after every chunk would take a processor. */
const AHEAD_MS = 10;

async function throttle(from: Socket, to: Socket): Promise<void> {
  let free = performance.now();
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const now = performance.now();
    free = Math.max(free, now - BURST_MS) + (chunk.length / Number(bytesPerSecond)) * 1000;
    if (free > now + AHEAD_MS) {
      await setTimeout(free - now);
    }
    await new Promise((resolve) => to.write(chunk, resolve));
  }
  to.end();
}

const server = createServer({ noDelay: true }, (client) => {
  const database = connect({ host, port: Number(port), noDelay: true });
  const close = () => {
    client.destroy();
    database.destroy();
  };
  client.on('error', close);
  database.on('error', close);
  client.pipe(database);
  throttle(database, client).catch(close);
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(server.address());
});
process.on('disconnect', () => process.exit());
