import type { Call } from './iam/decision.ts';
import { AccessDenied, type Iam } from './iam/iam.ts';

/** A task failed; the name is what `ErrorEquals` matches, the message is the cause. */
export class TaskError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** For whom a task is done. */
export interface Caller {
  /** ARN of the session of the machine's role. */
  readonly principal: string;
  /** Somebody stopped the execution. */
  readonly stopped: AbortSignal;
}

/** @throws {TaskError} of the given name with the words of AWS */
export async function permitted(iam: Iam, errorName: string, call: Call): Promise<void> {
  try {
    await iam.demand(call);
  } catch (error) {
    throw error instanceof AccessDenied ? new TaskError(errorName, error.message) : error;
  }
}
