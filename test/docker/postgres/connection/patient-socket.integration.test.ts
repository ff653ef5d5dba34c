import { type ChildProcess, spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { PatientSocket } from '../../../../docker/postgres/connection/patient-socket.ts';

/** Listens, and for a second accepts no more connections than the two that the system does by itself. */
const LATE = `
  const server = require('node:net').createServer().listen(0, '127.0.0.1', 1, () => {
    process.stdout.write(String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  })`;

let late: ChildProcess | undefined;

afterEach(() => {
  jest.restoreAllMocks();
  late?.kill();
});

test('an address that answers late is waited for, although the host has another', async () => {
  const child = spawn(process.execPath, ['--eval', LATE], { stdio: ['ignore', 'pipe', 'inherit'] });
  late = child;
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  const others = Array.from({ length: 3 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(others.slice(0, 2).map((other) => once(other, 'connect')));
  // Nothing listens on the second address.
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
  ];
  const lookup = (_host: string, _options: unknown, found: (error: null, found: typeof addresses) => void) => {
    found(null, addresses);
  };
  jest.spyOn(dns, 'lookup').mockImplementation(lookup as typeof dns.lookup);
  const socket = new PatientSocket();
  await once(socket.connect(port, 'late.example'), 'connect');
  expect(socket.remoteAddress).toBe('127.0.0.1');
  for (const each of [socket, ...others]) {
    each.destroy();
  }
});

test('a Unix socket is connected to by its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autodump-test-'));
  const path = join(folder, 'socket');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const socket = new PatientSocket();
  await once(socket.connect(path), 'connect');
  socket.destroy();
  server.close();
  await rm(folder, { recursive: true });
});
