import { z } from 'zod';
import type { TaskState, WaitState } from '../../../local/assembly/state-machine.ts';
import { TaskError } from '../../../local/services/task.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Faults } from '../../runtime/faults.ts';
import type { Batch } from '../batch.ts';
import { type Execution, runSite, type Step } from '../execution.ts';
import type { Json } from '../json.ts';
import type { Concurrency } from '../lambda/concurrency.ts';
import type { Invocation, Result } from '../lambda/invocation.ts';
import type { SimulatedFunction } from '../lambda/lambda-function.ts';

const INVOKE_FAULTS = { 'invocation refused': 0.005, 'invocation answer lost': 0.005, 'invocation failed': 0.002 };
const INVOKE_OUTAGE = { 'invocation failed': 1 };

/** Errors of a service that throttled the call, or a function. */
const THROTTLED = /TooManyRequests|Throttling/;

/** In the description of a job. */
const JOB_REASON = /"StatusReason":"([^"]+)"/;

const invokeSchema = z.object({ FunctionName: z.string(), Payload: z.unknown() });
const jobSchema = z.object({
  JobDefinition: z.string(),
  ContainerOverrides: z.object({ Environment: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]) }),
});
/** The only supported kind of Wait state: until a time in a field of the input. */
const waitSchema = z.object({ TimestampPath: z.string().regex(/^\$\.\w+$/) });
const comparisonSchema = z.object({ outcome: z.string() });

/** A job that Batch has accepted. */
export interface SubmittedJob {
  /** Name of its definition. */
  readonly definition: string;
  /** Its environment variables. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface StepsContext {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly batch: Batch;
  readonly concurrency: Concurrency;
  readonly functions: readonly SimulatedFunction[];
  invoke(
    called: SimulatedFunction,
    event: unknown,
  ): Promise<{ readonly result: Result; readonly invocation: Invocation }>;
  onSubmitted(execution: Execution, job: SubmittedJob): void;
  /**
   * The job has done its work: there is a dump, or the evidence of a drill.
   *
   * @throws {TaskError} if it failed nevertheless
   */
  onJobDone(execution: Execution): void;
}

/** Runs a Wait or Task state. */
export type Handle = (execution: Execution, input: Json) => Promise<Json>;

/** The result of one attempt at a step. */
interface AttemptResult {
  readonly outcome: Json | TaskError;
  readonly prevented: boolean;
}

/** Runs the Wait and Task states of executions: functions and the job, with faults. */
export class Steps {
  readonly #context: StepsContext;

  constructor(context: StepsContext) {
    this.#context = context;
  }

  task(name: string, state: TaskState): Handle {
    if (state.Resource.endsWith(':batch:submitJob.sync')) {
      return (execution, input) => this.#attempt(execution, 'job', () => this.#submit(execution, input));
    }
    const step = name.startsWith('Reschedule') ? 'reschedule' : 'compare';
    return (execution, input) => this.#attempt(execution, step, () => this.#invoke(execution, step, input));
  }

  wait(state: WaitState): Handle {
    const field = waitSchema.parse(state).TimestampPath.slice('$.'.length);
    const waited = z.looseObject({ [field]: z.iso.datetime() });
    return async (_execution, input) => {
      const { clock } = this.#context;
      await clock.sleep(Date.parse(String(waited.parse(input)[field])) - clock.now);
      return input;
    };
  }

  async #attempt(execution: Execution, step: Step, act: () => Promise<AttemptResult>): Promise<Json> {
    const { clock } = this.#context;
    // The interpreter may start one more task after it was told to stop.
    if (execution.stopped !== undefined) {
      return await new Promise<Json>(() => undefined);
    }
    const started = clock.now;
    const { outcome, prevented } = await act();
    const attempt = { step, started, ended: clock.now, prevented };
    if (outcome instanceof TaskError) {
      const { name } = outcome;
      const [, problem = name] = JOB_REASON.exec(outcome.message) ?? [];
      execution.attempts.push({ ...attempt, ok: false, throttled: THROTTLED.test(name), problem });
      throw outcome;
    }
    execution.attempts.push({ ...attempt, ok: true, throttled: false });
    return outcome;
  }

  async #invoke(execution: Execution, step: Step, input: Json): Promise<AttemptResult> {
    const { clock, faults, functions, concurrency } = this.#context;
    const { FunctionName, Payload } = invokeSchema.parse(input);
    const called = functions.find(({ arn, name }) => arn === FunctionName || name === FunctionName);
    if (called === undefined) {
      return failure('Lambda.ResourceNotFoundException', FunctionName, false);
    }
    const { kind, latency } = faults.decide(
      `${step}|${runSite(execution)}`,
      faults.outage('Invoke a step') ? INVOKE_OUTAGE : INVOKE_FAULTS,
    );
    await clock.sleep(latency);
    if (kind === 'invocation failed') {
      return failure('Lambda.ServiceException', 'Service unavailable.', true);
    }
    const isRefused = kind === 'invocation refused';
    if (isRefused || !concurrency.take()) {
      if (!isRefused) {
        faults.count('functions at their limit');
      }
      return failure('Lambda.TooManyRequestsException', 'Rate Exceeded.', true);
    }
    const { result, invocation } = await this.#context.invoke(called, Payload);
    concurrency.release();
    if (kind !== undefined) {
      return failure('Lambda.SdkClientException', 'Connection reset', true);
    }
    if (result.kind === 'failed') {
      return failure(
        result.error,
        result.cause,
        invocation.killed || [...invocation.calls.values()].some(({ failed }) => failed),
      );
    }
    if (step === 'compare') {
      execution.outcome = comparisonSchema.parse(result.payload).outcome;
    }
    return { outcome: { Payload: result.payload, StatusCode: 200 }, prevented: false };
  }

  async #submit(execution: Execution, input: Json): Promise<AttemptResult> {
    const before = execution.jobs.length;
    const { JobDefinition: definition, ContainerOverrides } = jobSchema.parse(input);
    const variables = Object.fromEntries(ContainerOverrides.Environment.map(({ Name, Value }) => [Name, Value]));
    try {
      const detail = await this.#context.batch.submitJob(input, execution, (answered) => {
        execution.jobs.push(this.#context.clock.now);
        if (!answered) {
          execution.lostResponses += 1;
        }
        this.#context.onSubmitted(execution, { definition, variables });
      });
      // Step Functions terminates the job of an execution that is stopped.
      if (execution.stopped === undefined) {
        this.#context.onJobDone(execution);
      }
      return { outcome: detail, prevented: false };
    } catch (error) {
      if (!(error instanceof TaskError)) {
        throw error;
      }
      return { outcome: error, prevented: execution.jobs.length > before || error.name !== 'Batch.ClientException' };
    }
  }
}

function failure(name: string, cause: string, prevented: boolean): AttemptResult {
  return { outcome: new TaskError(name, cause), prevented };
}
