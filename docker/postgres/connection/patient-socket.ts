import { Socket } from 'node:net';

/** Long enough for two packets that are lost, and short enough that another address can be tried in time. */
const ADDRESS_TIMEOUT_MS = 5_000;

/**
 * A socket that gives each address of a host some time. Of several addresses, Node.js gives up each but the last after
 * a quarter of a second, and libpq after its whole timeout.
 * https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
 */
export class PatientSocket extends Socket {
  /** As pg calls it: with a port and a host, or with the path of a Unix socket. */
  override connect(target: unknown, host?: unknown): this {
    return super.connect(
      typeof host === 'string'
        ? { port: Number(target), host, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS }
        : { path: String(target) },
    );
  }
}
