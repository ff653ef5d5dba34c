import { spawnSync } from 'node:child_process';
import { findProgram } from './search-path.ts';

/** Path of a setpriv that works: it is part of util-linux, and so of Linux. */
let setpriv: { readonly path: string | undefined } | undefined;

function workingSetpriv(): string | undefined {
  if (setpriv === undefined) {
    const path = findProgram('setpriv', process.env.PATH);
    const works = path !== undefined && spawnSync(path, ['--pdeathsig', 'KILL', '--', 'true']).status === 0;
    setpriv = { path: works ? path : undefined };
  }
  return setpriv.path;
}

/**
 * A command whose process gets a signal from the kernel when this process dies, even by SIGKILL. Where that is not
 * possible, this returns the command unchanged, and a later run ends whatever is still running.
 *
 * @param signal without `SIG`
 */
export function signalledWithParent(
  signal: 'KILL' | 'INT',
  program: string,
  args: readonly string[],
): readonly [program: string, args: readonly string[]] {
  const path = workingSetpriv();
  return path === undefined ? [program, args] : [path, ['--pdeathsig', signal, '--', program, ...args]];
}
