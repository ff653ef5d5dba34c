import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ownEnvironment } from '../local/host/environment.ts';
import type { Processes } from '../local/host/processes.ts';
import type { Usage } from './services.ts';

/** The stand-in for AWS, in a separate process. */
export interface Aws {
  readonly endpoint: string;
  /** Bytes received since the last call, and total processor time. */
  usage(): Promise<Usage>;
}

/** @param secret value of the only secret */
export async function startAws(secret: object, processes: Processes): Promise<Aws> {
  const { child, ended } = processes.start(process.execPath, [join(import.meta.dirname, 'services.ts')], {
    env: { ...ownEnvironment(), BENCH_SECRET: JSON.stringify(secret) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = ended.then(() => {
    throw new Error('The stand-in for AWS exited.');
  });
  // Reported by the next call.
  exited.catch(() => undefined);
  const nextMessage = async <T>() => ((await Promise.race([once(child, 'message'), exited])) as [T])[0];
  const { port } = await nextMessage<AddressInfo>();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    usage: () => {
      child.send('usage');
      return nextMessage<Usage>();
    },
  };
}
