import type { Call } from './iam/decision.ts';
import { AccessDenied, type Iam } from './iam/iam.ts';

/** A failed task. `ErrorEquals` matches the name; the message is the cause. */
export class TaskError extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** On whose behalf a task runs. */
export interface Caller {
  /** ARN of the session of the state machine's role. */
  readonly principal: string;
  /** Aborted when the execution is stopped. */
  readonly stopped: AbortSignal;
}

/** @throws {TaskError} with the specified name and AWS's message, if the call is denied */
export async function authorizeTask(iam: Iam, errorName: string, call: Call): Promise<void> {
  try {
    await iam.authorize(call);
  } catch (error) {
    throw error instanceof AccessDenied ? new TaskError(errorName, error.message) : error;
  }
}
