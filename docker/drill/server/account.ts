import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Account } from '../../process/child.ts';

/** Whom the server runs as, if this process is root: PostgreSQL refuses to run as root. */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const idOf = async (flag: string) => {
    const { stdout } = await promisify(execFile)('id', [flag, 'nobody'], { env: { PATH: '/usr/bin:/bin' } });
    return Number(stdout);
  };
  return { uid: await idOf('-u'), gid: await idOf('-g') };
}
