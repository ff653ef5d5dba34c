import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ownEnvironment } from '../../local/host/environment.ts';
import type { Processes } from '../../local/host/processes.ts';

/** Where a server is. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Starts a relay to a server, in a separate process.
 *
 * @param perConnection bytes a second that each connection receives
 */
export async function startRelay(
  { host, port }: Address,
  perConnection: number,
  processes: Processes,
): Promise<Address> {
  const args = [join(import.meta.dirname, 'relay.ts'), host, String(port), String(perConnection)];
  const { child, ended } = processes.start(process.execPath, args, {
    env: ownEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = ended.then(() => {
    throw new Error('The relay to the database exited.');
  });
  exited.catch(() => undefined);
  const [address] = (await Promise.race([once(child, 'message'), exited])) as [AddressInfo];
  return { host: address.address, port: address.port };
}
