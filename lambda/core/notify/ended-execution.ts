import * as z from 'zod/mini';
import type { ExecutionInput } from '../../../contract.ts';
import { secretName } from '../execution-name.ts';
import { parsedJson } from '../parsed-json.ts';

/**
 * The event at the end of an execution, in which input, output and often the cause are texts of JSON:
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
const eventSchema = z.object({
  detail: z.object({
    executionArn: z.string(),
    stateMachineArn: z.optional(z.string()),
    startDate: z.optional(z.number()),
    stopDate: z.nullish(z.number()),
    status: z.enum(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
    input: z.nullish(z.string()),
    output: z.nullish(z.string()),
    error: z.nullish(z.string()),
    cause: z.nullish(z.string()),
  }),
});

type StartedWith = Pick<ExecutionInput, 'secretArn' | 'when' | 'purpose'>;

const inputSchema: z.ZodMiniType<StartedWith> = z.object({
  secretArn: z.string().check(z.regex(/^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:/)),
  when: z.string(),
  purpose: z.optional(z.enum(['dump', 'drill'])),
});

/** An execution that has ended, of a run or a check. */
export interface EndedExecution {
  /** Tells this end from others: an execution that is redriven has several. */
  readonly id: string;
  /** ARN of the execution. */
  readonly execution: string;
  readonly stateMachineArn: string | undefined;
  /** When it was started and ended, in milliseconds since 1970. */
  readonly startDate: number | undefined;
  readonly stopDate: number | undefined;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** Input, output and cause, parsed; undefined if there is none, or it is not JSON. */
  readonly input: unknown;
  readonly output: unknown;
  readonly cause: unknown;
  /** Error and cause as text. */
  readonly words: string;
}

/** @returns undefined for any other event */
export function endedExecutionOf(event: unknown): EndedExecution | undefined {
  const { data } = eventSchema.safeParse(event);
  if (data === undefined) {
    return undefined;
  }
  const { executionArn, stateMachineArn, startDate, stopDate, status, input, output, error, cause } = data.detail;
  return {
    id: `${executionArn}@${stopDate ?? ''}`,
    execution: executionArn,
    stateMachineArn,
    startDate,
    stopDate: stopDate ?? undefined,
    status,
    input: parsedJson(input),
    output: parsedJson(output),
    cause: parsedJson(cause),
    words: [error, cause].filter(Boolean).join(': ') || 'no cause given',
  };
}

/** What an execution was started with; undefined if someone started it with another input. */
export function inputOf({ input }: EndedExecution): StartedWith | undefined {
  return inputSchema.safeParse(input).data;
}

export interface AboutExecution extends Pick<EndedExecution, 'id' | 'execution'> {
  /** Name of the secret; that of the execution if someone started it with another input. */
  readonly secret: string;
  readonly secretArn: string | undefined;
}

export function aboutOf(ended: EndedExecution): AboutExecution {
  const { id, execution } = ended;
  const secretArn = inputOf(ended)?.secretArn;
  return {
    id,
    execution,
    secret: secretArn === undefined ? (execution.split(':').at(-1) ?? '') : secretName(secretArn),
    secretArn,
  };
}
