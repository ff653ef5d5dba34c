import type { ServerResponse } from 'node:http';

/** A request of some protocol. */
export interface ReadRequest {
  /** The service, or its abbreviation, and the operation: `secretsmanager.CreateSecret`. */
  readonly target: string;
  /** @throws {SyntaxError} if the request has no valid body */
  readonly body: () => unknown;
  /** Sends a result, or an error with the fields `__type` and `message`. */
  readonly reply: (response: ServerResponse, status: number, body: object) => void;
}
