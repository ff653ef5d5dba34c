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

/** How an attempt ended; the reasons are worded as by Batch. */
export interface Attempt {
  readonly exitCode?: number;
  /** Of the container, if it failed to start. */
  readonly reason?: string;
  readonly statusReason: string;
  readonly timedOut: boolean;
}

/**
 * Whether Batch starts another attempt. It does if no rule matches; it never does after a timeout.
 * https://docs.aws.amazon.com/batch/latest/APIReference/API_EvaluateOnExit.html
 *
 * @param attempts number of attempts so far, including this one
 */
export function isRetried({ Attempts, EvaluateOnExit }: RetryStrategy, attempt: Attempt, attempts: number): boolean {
  if (attempt.exitCode === 0 || attempt.timedOut || attempts >= Attempts) {
    return false;
  }
  const rule = EvaluateOnExit.find(
    ({ OnExitCode, OnReason, OnStatusReason }) =>
      matches(OnExitCode, `${attempt.exitCode ?? ''}`) &&
      matches(OnReason, attempt.reason ?? '') &&
      matches(OnStatusReason, attempt.statusReason),
  );
  return rule?.Action !== 'EXIT';
}

/** A pattern may end with an asterisk, and then matches by prefix. */
function matches(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) {
    return true;
  }
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}
