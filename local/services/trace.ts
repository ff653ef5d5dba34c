import type { Execution } from './execution.ts';
import type { InvocationResult } from './invocation.ts';

/** Something that happened in the local stack. */
export type TraceEvent =
  | { readonly kind: 'call denied'; readonly message: string }
  | { readonly kind: 'event'; readonly name: string; readonly source: string; readonly isMatched: boolean }
  | { readonly kind: 'rule matched'; readonly rule: string; readonly target: string }
  | { readonly kind: 'function invoked'; readonly name: string; readonly description: string }
  | {
      readonly kind: 'function ended';
      readonly name: string;
      readonly seconds: number;
      readonly result: InvocationResult;
    }
  | { readonly kind: 'message published'; readonly subject: string; readonly text: string }
  | { readonly kind: 'dead letter'; readonly name: string; readonly destination: string }
  | { readonly kind: 'execution started'; readonly execution: Execution }
  | { readonly kind: 'waiting'; readonly execution: Execution; readonly until: Date }
  | { readonly kind: 'task entered'; readonly execution: Execution; readonly state: string }
  | { readonly kind: 'task retried'; readonly execution: Execution; readonly state: string }
  | { readonly kind: 'execution ended'; readonly execution: Execution }
  | { readonly kind: 'job started'; readonly name: string; readonly attempt: number }
  | { readonly kind: 'job output'; readonly stream: 'stdout' | 'stderr'; readonly line: string }
  | { readonly kind: 'job ended'; readonly name: string; readonly exitCode: number; readonly retried: boolean };

/** Receives every event, synchronously and in order. */
export type Trace = (event: TraceEvent) => void;
