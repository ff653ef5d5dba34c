import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { Processes } from '../../../local/host/processes.ts';
import { WorldProcesses } from '../../../simulation/world-process.ts';
import { shared } from '../../support/shared.ts';
import { synthesizedApp } from '../../support/synthesized-app.ts';
import { type Break, linkFolder, makeBreakable } from './broken-stack.ts';

export interface TestStack {
  readonly worlds: WorldProcesses;
  /** The output of `cdk synth`. */
  readonly cdkOut: string;
  /** @returns the output of `cdk synth` with a bug */
  broken(breakStack: Break): Promise<string>;
}

/** The synthesized stack for the tests of a file, and what they start and write. */
export function useStack(): TestStack {
  const processes = new Processes();
  const folder = mkdtempSync(join(tmpdir(), 'autodump-simulation-'));
  let cdkOut = '';
  beforeAll(async () => {
    cdkOut = await synthesizedApp();
  });
  afterAll(async () => {
    await processes.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    worlds: new WorldProcesses(processes),
    get cdkOut() {
      return cdkOut;
    },
    broken: async (breakStack) => {
      const copy = mkdtempSync(join(folder, 'broken-'));
      linkFolder(await breakable(), copy);
      breakStack(copy);
      return copy;
    },
  };
}

function breakable(): Promise<string> {
  return shared('breakable', async (folder) => {
    cpSync(await synthesizedApp(), folder, { recursive: true });
    makeBreakable(folder);
  });
}
