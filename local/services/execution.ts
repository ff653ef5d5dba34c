export type ExecutionEnd =
  | { readonly status: 'SUCCEEDED'; readonly output: unknown }
  | { readonly status: 'FAILED'; readonly error: string; readonly cause: string }
  | { readonly status: 'ABORTED' };

/** One run of a state machine. What is not `readonly` changes while it runs. */
export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  /** JSON. */
  readonly input: string;
  readonly startDate: Date;
  readonly ended: Promise<ExecutionEnd>;
  /** Stops it, and its job. */
  readonly stopping: AbortController;
  /** Set once it has ended. */
  end?: ExecutionEnd;
  /** Set while it is in a Wait state. */
  wait?: { readonly until: Date; readonly finish: () => void };
}
