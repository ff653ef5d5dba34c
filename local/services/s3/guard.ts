import type { IncomingHttpHeaders } from 'node:http';
import type { Target } from './message.ts';

/** A request as far as permissions go. */
export interface GuardedRequest {
  readonly method: string;
  readonly target: Target;
  readonly headers: IncomingHttpHeaders;
  /** Whether the object is there. */
  readonly exists: boolean;
}

/** @throws {S3Error} for a request that is refused */
export type Guard = (request: GuardedRequest) => Promise<void>;
