export type ExecutionEnd =
  | { readonly status: 'SUCCEEDED'; readonly output: unknown }
  | { readonly status: 'FAILED'; readonly error: string; readonly cause: string }
  | { readonly status: 'ABORTED'; readonly cause?: string };

/** One execution of a state machine. Fields that are not `readonly` change while it runs. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  /** JSON. */
  readonly input: string;
  readonly startDate: Date;
  readonly ended: Promise<ExecutionEnd>;
  /** Aborting it stops the execution and its job. */
  readonly stopping: AbortController;
  /** Set once the execution has ended. */
  end?: ExecutionEnd;
  /** Set while the execution is in a Wait state; `finish` ends the wait early. */
  wait?: { readonly until: Date; readonly finish: () => void };
}
