import type { Clock } from '../../runtime/clock.ts';
import type { Answer, Call } from '../../runtime/fake-https.ts';
import type { Json } from '../json.ts';
import type { ListedSecret } from '../secrets-manager.ts';
import type { SentEvent } from '../sent.ts';

export type Result =
  | { readonly kind: 'returned'; readonly payload: Json }
  | { readonly kind: 'failed'; readonly error: string; readonly cause: string };

/** A call of an invocation. */
export interface InvocationCall {
  readonly operation: string;
  /** The ARN of a secret or execution, a prefix or key in S3, or empty. */
  readonly subject: string;
  /** Whether the function may end well although it failed. */
  readonly mayFail: boolean;
  /** Decided by the last attempt. */
  failed: boolean;
}

/** An invocation of a function, as seen by the world. Fields that are not `readonly` change while it runs. */
export interface Invocation {
  readonly function: { readonly name: string };
  readonly event: unknown;
  readonly started: number;
  /** By the id that all attempts of a call share. */
  readonly calls: Map<string, InvocationCall>;
  /** Whether it crashed or timed out. */
  killed: boolean;
  /** Its last listing of secrets has more pages. */
  hasUnreadPages: boolean;
  /** An injected fault made it wait. */
  delayed: boolean;
  /** The pages of secrets that it listed, by their token. */
  readonly pages: Map<string, readonly ListedSecret[]>;
  /** Whether it wrote an object. */
  wrote: boolean;
  /** The messages that it sent. */
  readonly messages: string[];
  /** The events that it put on the bus, by the id that all attempts of the call share. */
  readonly events: Map<string, readonly SentEvent[]>;
}

/** Serves the requests of functions: answers each in time, late or never, or makes the function crash. */
export interface World {
  readonly clock: Clock;
  /** When the runtime of functions gets new rules of time zones. */
  readonly runtimeUpdate: number;
  serve(invocation: Invocation, call: Call, answer: (answer: Answer) => void, crash: () => void): void;
  random(): number;
}
