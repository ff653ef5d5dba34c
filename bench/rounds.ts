import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { measure, type Measurement } from './measure.ts';
import type { Method } from './methods.ts';
import type { Row } from './report.ts';
import { DATABASE, RESTORED, type Setup } from './setup.ts';

/** Measures the methods in turn. */
export async function runRounds(
  setup: Setup,
  { rounds, methods }: { readonly rounds: number; readonly methods: readonly Method[] },
  say: (line: string) => void,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const method of methods) {
      const row = await runOnce(method, setup);
      rows.push(row);
      say(`round ${round}, ${method}: ${row.seconds.toFixed(1)} s`);
      await rm(join(setup.scratch, 'dump'), { force: true, recursive: true });
    }
  }
  return rows;
}

async function runOnce(method: Method, setup: Setup): Promise<Row> {
  if (method === 'restore' || method === 'restore by hand') {
    await setup.stored();
    await setup.renewRestored();
  }
  const before = { server: await setup.serverCpu(), s3: (await setup.usage()).cpuSeconds };
  const { measurements, bytes } = await measureMethod(method, setup);
  const sum = (value: (measurement: Measurement) => number) => measurements.reduce((sum, one) => sum + value(one), 0);
  return {
    method,
    seconds: sum(({ seconds }) => seconds),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    memory: Math.max(...measurements.map(({ memory }) => memory)),
    memoryWithChildren: Math.max(...measurements.map(({ memoryWithChildren }) => memoryWithChildren)),
    disk: Math.max(...measurements.map(({ disk }) => disk)),
    bytes,
    serverCpu: (await setup.serverCpu()) - before.server,
    s3Cpu: (await setup.usage()).cpuSeconds - before.s3,
  };
}

/** @returns a measurement of each program that ran, and the size of the dump */
async function measureMethod(
  method: Method,
  setup: Setup,
): Promise<{ measurements: readonly Measurement[]; bytes: number }> {
  const { scratch, program, withoutCensus, processes, environment, compression, streamingPath, usage } = setup;
  const file = join(scratch, 'dump');
  const run = (name: string, args: readonly string[], changes: NodeJS.ProcessEnv = {}) =>
    measure(name, args, { env: { ...environment, ...changes }, scratch, processes });
  const dump = (...args: string[]) => run('pg_dump', [...args, '-f', file, DATABASE]);
  const engine = async (bundle: string, changes?: NodeJS.ProcessEnv) => {
    const measured = await run(process.execPath, [bundle, 'dump'], changes);
    return { measurements: [measured], bytes: (await usage()).bytes };
  };
  const copied = () => run(process.execPath, [join(import.meta.dirname, 'copy.ts'), file]);
  await usage();
  switch (method) {
    case 'predecessor': {
      const dumped = await dump('-Fc', '-O', '-Z', '9');
      return { measurements: [dumped, await copied()], bytes: (await stat(file)).size };
    }
    case 'raw':
      // Like the engine, which does not need the file after a crash.
      return { measurements: [await dump('-Fc', '-Z', '0', '--no-sync')], bytes: (await stat(file)).size };
    case 'file':
      return engine(program);
    case 'file without census':
      return engine(withoutCensus);
    case 'directory': {
      const dumped = await dump('-Fd', '-O', '-j', '4', '-Z', compression, '--no-sync');
      return { measurements: [dumped, await copied()], bytes: (await usage()).bytes };
    }
    case 'stream':
      return engine(program, { PATH: streamingPath });
    case 'stream without census':
      return engine(withoutCensus, { PATH: streamingPath });
    case 'parallel 2':
    case 'parallel 4': {
      const secret = `${environment.AUTODUMP_SECRET_ARN}`.replace(
        'secret:bench-',
        `secret:bench-${method.replace(' ', '-')}-`,
      );
      return engine(program, { AUTODUMP_SECRET_ARN: secret });
    }
    case 'restore by hand': {
      const { file: archive, bytes } = await setup.stored();
      return { measurements: [await run('pg_restore', ['-O', '-j', '4', '-d', RESTORED, archive])], bytes };
    }
    case 'restore': {
      const { url, bytes, endpoint } = await setup.stored();
      const { PGHOST, PGPORT, PGUSER } = environment;
      const args = ['restore', url, '--jobs', '4', '--to', `postgres://${PGUSER}@${PGHOST}:${PGPORT}/${RESTORED}`];
      const restored = await run(process.execPath, [program, ...args], { AWS_ENDPOINT_URL_S3: endpoint });
      return { measurements: [restored], bytes };
    }
  }
}
