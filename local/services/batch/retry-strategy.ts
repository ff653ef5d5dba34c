import { z } from 'zod';

const pattern = z.string().optional();

export const retryStrategySchema = z
  .object({
    Attempts: z.number().default(1),
    EvaluateOnExit: z
      .array(
        z.object({
          Action: z
            .string()
            .toUpperCase()
            .pipe(z.enum(['RETRY', 'EXIT'])),
          OnExitCode: pattern,
          OnReason: pattern,
          OnStatusReason: pattern,
        }),
      )
      .default([]),
  })
  .default({ Attempts: 1, EvaluateOnExit: [] });

export type RetryStrategy = z.infer<typeof retryStrategySchema>;

/** How an attempt ended, in the words of Batch. */
export interface Attempt {
  readonly exitCode?: number;
  /** Of the container, where it did not end by itself. */
  readonly reason?: string;
  readonly statusReason: string;
  readonly timedOut: boolean;
}

/**
 * Whether Batch begins another attempt. Without a rule that fits it does; a timed-out attempt is the last.
 * https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
 */
export function triesAgain({ Attempts, EvaluateOnExit }: RetryStrategy, attempt: Attempt, done: number): boolean {
  if (attempt.exitCode === 0 || attempt.timedOut || done >= Attempts) {
    return false;
  }
  const rule = EvaluateOnExit.find(
    ({ OnExitCode, OnReason, OnStatusReason }) =>
      fits(OnExitCode, `${attempt.exitCode ?? ''}`) &&
      fits(OnReason, attempt.reason ?? '') &&
      fits(OnStatusReason, attempt.statusReason),
  );
  return rule?.Action !== 'EXIT';
}

/** A pattern may end in an asterisk, and then fits every text that begins so. */
function fits(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) {
    return true;
  }
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
