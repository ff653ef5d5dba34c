import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** A server that accepts connections and never answers. */
export async function silentServer(onConnection: () => void): Promise<{ server: Server; port: number }> {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** Kills the job of a secret, as the kernel does when memory is short. */
export function killJobOf(secretName: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const environment = environmentOf(pid);
    if (environment.includes('AUTODUMP_WHEN=') && environment.includes(`secret:${secretName}-`)) {
      process.kill(Number(pid), 'SIGKILL');
    }
  }
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}
