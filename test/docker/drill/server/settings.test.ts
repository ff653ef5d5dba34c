import { describe, expect, test } from '@jest/globals';
import { serverSettings } from '../../../../docker/drill/server/settings.ts';

const GIB = 1024 ** 3;

describe('The settings of the server', () => {
  test.each([
    [{ cpus: 1, memory: 0.5 * GIB }, '64MB', '64MB'],
    [{ cpus: 4, memory: 8 * GIB }, '1024MB', '256MB'],
    [{ cpus: 16, memory: 120 * GIB }, '2047MB', '960MB'],
    [{ cpus: 64, memory: GIB }, '128MB', '16MB'],
  ])('are for a machine with %j', (machine, buffers, maintenance) => {
    expect(serverSettings('/s', machine, [])).toMatchObject({
      listen_addresses: '',
      shared_buffers: buffers,
      maintenance_work_mem: maintenance,
    });
  });

  test('leave room for the locks of a statement on many partitions', () => {
    const { max_connections: connections, max_locks_per_transaction: locks } = serverSettings(
      '/s',
      { cpus: 1, memory: GIB },
      [],
    );
    expect(Number(connections) * Number(locks)).toBeGreaterThan(50_000);
  });

  test('load a library only for an extension that needs it, and never start the jobs of the dump', () => {
    const machine = { cpus: 1, memory: GIB };
    expect(serverSettings('/s', machine, [])).toMatchObject({ shared_preload_libraries: '' });
    expect(serverSettings('/s', machine, ['pg_cron', 'pgaudit'])).toMatchObject({
      shared_preload_libraries: 'pg_cron,pgaudit',
      'cron.launch_active_jobs': 'off',
    });
  });
});
