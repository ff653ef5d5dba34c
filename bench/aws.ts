import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Usage } from './services.ts';

/** The services that stand for AWS, in a process of their own. */
export interface Aws {
  readonly endpoint: string;
  /** What has arrived since it was asked last, and the processor time of all. */
  usage(): Promise<Usage>;
  stop(): void;
}

/** @param secret value of the one secret */
export async function startAws(secret: object): Promise<Aws> {
  const child = fork(join(import.meta.dirname, 'services.ts'), {
    env: { ...process.env, BENCH_SECRET: JSON.stringify(secret) },
  });
  const died = once(child, 'exit').then(() => {
    throw new Error('The services that stand for AWS have ended.');
  });
  // It is heard of where they are asked something.
  died.catch(() => undefined);
  const told = async <T>() => ((await Promise.race([once(child, 'message'), died])) as [T])[0];
  const { port } = await told<AddressInfo>();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    usage: () => {
      child.send('usage');
      return told<Usage>();
    },
    stop: () => {
      if (child.connected) {
        child.disconnect();
      }
    },
  };
}
