import { isIP, isIPv6 } from 'node:net';

/** PostgreSQL's own default port. */
export const DEFAULT_PORT = 5432;

export interface Endpoint {
  /** Host name or IP address, an IPv6 address without brackets. */
  readonly host: string;
  readonly port?: number;
}

/** The dot at the end of a name in DNS says that it is complete, which it is here anyway, and is in no certificate. */
const HOST_NAME = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?\.?$/i;

/** Parses a port from 1 to 65535; undefined for anything else. */
export function parsePort(port: string | number): number | undefined {
  const number = typeof port === 'string' && !/^\d{1,5}$/.test(port) ? NaN : Number(port);
  return Number.isInteger(number) && number >= 1 && number <= 65535 ? number : undefined;
}

/**
 * Parses `host`, `host:port`, an IPv6 address, or one in brackets with or without a port; undefined for anything else,
 * including lists of hosts and socket directories, to which libpq gives a meaning.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (isIPv6(text)) {
    return { host: text };
  }
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? [];
  const given = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? HOST_NAME.test(given) || isIP(given) === 4 : isIPv6(given);
  const host = given.replace(/\.$/, '');
  const port = portText === undefined ? undefined : parsePort(portText);
  if (!isHost || (portText !== undefined && port === undefined)) {
    return undefined;
  }
  return { host, ...(port === undefined ? {} : { port }) };
}
