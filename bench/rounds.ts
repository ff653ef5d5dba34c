import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { measure, type Measurement } from './measure.ts';
import type { Method } from './methods.ts';
import type { Row } from './report.ts';
import { DATABASE, type Setup } from './setup.ts';

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
      await rm(join(setup.folder, 'dump'), { force: true });
    }
  }
  return rows;
}

async function runOnce(method: Method, setup: Setup): Promise<Row> {
  const before = { server: await setup.serverCpu(), s3: (await setup.usage()).cpuSeconds };
  const { measurements, bytes } = await measureMethod(method, setup);
  const sum = (value: (measurement: Measurement) => number) => measurements.reduce((sum, one) => sum + value(one), 0);
  return {
    method,
    seconds: sum(({ seconds }) => seconds),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    memory: Math.max(...measurements.map(({ memory }) => memory)),
    memoryWithChildren: Math.max(...measurements.map(({ memoryWithChildren }) => memoryWithChildren)),
    bytes,
    serverCpu: (await setup.serverCpu()) - before.server,
    s3Cpu: (await setup.usage()).cpuSeconds - before.s3,
  };
}

/** @returns a measurement of each program that ran, and the size of the dump */
async function measureMethod(
  method: Method,
  { folder, program, withoutCensus, processes, environment, streamingPath, usage }: Setup,
): Promise<{ measurements: readonly Measurement[]; bytes: number }> {
  const file = join(folder, 'dump');
  const dump = (...args: string[]) =>
    measure('pg_dump', ['-Fc', ...args, '-f', file, DATABASE], environment, processes);
  const engine = (bundle: string, path?: string) =>
    measure(process.execPath, [bundle, 'dump'], { ...environment, PATH: path }, processes);
  await usage();
  switch (method) {
    case 'predecessor': {
      const dumped = await dump('-O', '-Z', '9');
      const copy = join(import.meta.dirname, 'copy.ts');
      const copied = await measure(process.execPath, [copy, file], environment, processes);
      return { measurements: [dumped, copied], bytes: (await stat(file)).size };
    }
    case 'raw':
      // Like the engine, which does not need the file after a crash.
      return { measurements: [await dump('-Z', '0', '--no-sync')], bytes: (await stat(file)).size };
    case 'file':
      return { measurements: [await engine(program, environment.PATH)], bytes: (await usage()).bytes };
    case 'file without census':
      return { measurements: [await engine(withoutCensus, environment.PATH)], bytes: (await usage()).bytes };
    case 'stream':
      return { measurements: [await engine(program, streamingPath)], bytes: (await usage()).bytes };
    case 'stream without census':
      return { measurements: [await engine(withoutCensus, streamingPath)], bytes: (await usage()).bytes };
  }
}
