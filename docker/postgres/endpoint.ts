import { isIP, isIPv6 } from 'node:net';

export interface Endpoint {
  /** Host name or IP address, an IPv6 address without brackets. */
  readonly host: string;
  readonly port?: number;
}

const HOST_NAME = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/i;

/** A whole number from 1 to 65535, as a number or as text. */
export function parsePort(port: string | number): number | undefined {
  const number = typeof port === 'string' && !/^\d{1,5}$/.test(port) ? NaN : Number(port);
  return Number.isInteger(number) && number >= 1 && number <= 65535 ? number : undefined;
}

/**
 * Reads `host`, `host:port`, an IPv6 address, or one in brackets with or without a port. Anything else is undefined,
 * such as lists of hosts and socket folders, which libpq would take and mean something by.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (isIPv6(text)) {
    return { host: text };
  }
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? HOST_NAME.test(host) || isIP(host) === 4 : isIPv6(host);
  const port = portText === undefined ? undefined : parsePort(portText);
  if (!isHost || (portText !== undefined && port === undefined)) {
    return undefined;
  }
  return { host, ...(port === undefined ? {} : { port }) };
}
