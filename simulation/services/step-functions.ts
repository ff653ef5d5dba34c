import { createRequire } from 'node:module';
import type { StateMachine, StateMachineDefinition } from 'aws-local-stepfunctions';
import { z } from 'zod';
import { allStates, runnable, type TaskState, type WaitState } from '../../local/assembly/state-machine.ts';
import type { Template } from '../../local/assembly/template.ts';
import { TaskError } from '../../local/services/task.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Faults } from '../runtime/faults.ts';
import { SandboxedModule, virtualGlobals } from '../runtime/sandbox.ts';
import type { Batch } from './batch.ts';
import type { Execution, ExecutionEnd, Step } from './execution.ts';
import type { Json } from './json.ts';
import type { Invocation, Result, SimulatedFunction } from './lambda-function.ts';
import { listRunning } from './list-executions.ts';
import type { SecretsManager } from './secrets-manager.ts';
import { ServiceError } from './service-error.ts';
import { StartQuota } from './start-quota.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const INVOKE_FAULTS = { 'invocation refused': 0.005, 'invocation answer lost': 0.005 };
const STOP_FAULTS = { 'stopped by hand': 0.003 };

/** Seconds. An execution lasts a year at most. */
const LONGEST_WAIT = 366 * 24 * 60 * 60;

/** How long the name of an ended execution cannot be reused. */
const NAME_RETENTION = 90 * DAY;

const LONGEST_LISTING_LAG = MINUTE;

const startSchema = z.object({ name: z.string(), input: z.string(), stateMachineArn: z.string() });
const inputSchema = z.object({ secretArn: z.string(), when: z.iso.datetime() });
const invokeSchema = z.object({ FunctionName: z.string(), Payload: z.unknown() });
const jobSchema = z.object({
  ContainerOverrides: z.object({ Environment: z.array(z.object({ Value: z.string() })).default([]) }),
});
/** The only supported kind of Wait state: until a time in a field of the input. */
const waitSchema = z.object({ TimestampPath: z.string().regex(/^\$\.\w+$/) });
const comparisonSchema = z.object({ outcome: z.string() });

interface Library {
  readonly StateMachine: typeof StateMachine;
}

export interface StepFunctionsContext {
  readonly clock: Clock;
  readonly faults: Faults;
  readonly random: () => number;
  readonly secrets: SecretsManager;
  readonly batch: Batch;
  readonly functions: readonly SimulatedFunction[];
  invoke(
    called: SimulatedFunction,
    event: unknown,
  ): Promise<{ readonly result: Result; readonly invocation: Invocation }>;
  onStarted(execution: Execution): void;
  /** @param variables the values of the job's environment variables */
  onSubmitted(execution: Execution, variables: readonly string[]): void;
  onEnded(execution: Execution): void;
}

/** Step Functions: the state machine of the template, interpreted on the virtual clock. */
export class StepFunctions {
  readonly arn: string;
  readonly #definition: string;
  readonly #library: Library;
  readonly #context: StepFunctionsContext;
  readonly #executions = new Map<string, Execution>();
  /** In the order in which they were started. */
  readonly #running = new Set<Execution>();
  #deployment: Deployment;
  readonly #quota = new StartQuota();

  constructor(template: Template, context: StepFunctionsContext) {
    this.#context = context;
    const [resource] = template.ofType('AWS::StepFunctions::StateMachine');
    if (resource === undefined) {
      throw new Error('The template has no state machine.');
    }
    this.arn = template.arnOf(resource);
    this.#definition = template.properties(resource, z.object({ DefinitionString: z.string() })).DefinitionString;
    this.#library = interpreter(context.clock, context.random);
    this.#deployment = this.#newDeployment();
  }

  /** Running executions keep the definition that they were started with. */
  deploy(): void {
    this.#deployment = this.#newDeployment();
  }

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
  startExecution(request: unknown): object {
    const { name, input, stateMachineArn } = startSchema.parse(request);
    const { clock } = this.#context;
    if (stateMachineArn !== this.arn) {
      throw new ServiceError('StateMachineDoesNotExist', stateMachineArn);
    }
    if (!this.#quota.take(clock.now)) {
      throw new ServiceError('ThrottlingException', 'Rate exceeded');
    }
    if (!/^[0-9A-Za-z_-]{1,80}$/.test(name)) {
      throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
    }
    const existing = this.#executions.get(name);
    if (existing?.end === undefined && existing?.input === input) {
      return { executionArn: name, startDate: existing.started / 1000 };
    }
    if (existing !== undefined) {
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${name}'`);
    }
    const execution = this.#execution(name, input);
    this.#executions.set(name, execution);
    this.#running.add(execution);
    this.#context.onStarted(execution);
    void this.#run(execution);
    return { executionArn: name, startDate: execution.started / 1000 };
  }

  /** Lists running executions. Those started within the last minute may be missing. */
  listExecutions(request: unknown): object {
    const { clock, random } = this.#context;
    const visible = clock.now - random() * LONGEST_LISTING_LAG;
    return listRunning(
      [...this.#running].filter(({ started }) => started <= visible),
      request,
    );
  }

  #execution(name: string, input: string): Execution {
    const { clock, secrets } = this.#context;
    const { secretArn, when } = inputSchema.parse(JSON.parse(input));
    const secret = secrets.find(secretArn);
    if (secret === undefined) {
      throw new Error(`An execution was started for ${secretArn}, a secret that never existed.`);
    }
    const started = clock.now;
    return { name, secret, when: Date.parse(when), input, started, attempts: [], jobs: [], lostResponses: 0 };
  }

  async #run(execution: Execution): Promise<void> {
    const { machine, handlers } = this.#deployment;
    const run = machine.run(JSON.parse(execution.input) as Json, {
      context: { Execution: { Id: execution.name, Name: execution.name }, StateMachine: { Id: this.arn } },
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(
          handlers.map(([name, handle]) => [name, (input: Json) => handle(execution, input)]),
        ),
      },
    });
    this.#maybeStop(execution, run.abort);
    const end = await endOf(run.result);
    execution.end = execution.stopped === undefined ? end : { status: 'ABORTED' };
    const { clock } = this.#context;
    this.#running.delete(execution);
    clock.at(clock.now + NAME_RETENTION, () => {
      if (this.#executions.get(execution.name) === execution) {
        this.#executions.delete(execution.name);
      }
    });
    this.#context.onEnded(execution);
  }

  /** An operator may stop an execution while it waits or runs. */
  #maybeStop(execution: Execution, abort: () => void): void {
    const { clock, faults } = this.#context;
    const { secret, when } = execution;
    const { kind, latency } = faults.decide(`stop|${secret.index}|${when}`, STOP_FAULTS);
    if (kind === undefined) {
      return;
    }
    clock.at(clock.now + (latency / 80) * (Math.max(when, clock.now) + 20 * MINUTE - clock.now), () => {
      if (execution.end !== undefined) {
        return;
      }
      execution.stopped = clock.now;
      abort();
    });
  }

  /** Each deployment changes the definition: the name of an additional first state and any reference to the job's revision. */
  #newDeployment(): Deployment {
    const { batch } = this.#context;
    // A template that refers to a revision of the job refers to the current one.
    const text = this.#definition.replaceAll(/(job-definition\/[\w-]+):1\b/g, `$1:${batch.revision}`);
    const written = JSON.parse(text) as StateMachineDefinition;
    const first = `Revision ${batch.revision}`;
    const definition: StateMachineDefinition = {
      ...written,
      StartAt: first,
      States: { ...written.States, [first]: { Type: 'Pass', Next: written.StartAt } },
    };
    const handlers = [...allStates(definition)].flatMap(([name, state]): [string, Handle][] => {
      if (state.Type === 'Wait') {
        return [[name, this.#wait(state)]];
      }
      return state.Type === 'Task' ? [[name, this.#task(name, state)]] : [];
    });
    const machine = runnable(definition);
    for (const [name, state] of allStates(machine)) {
      // `runnable` turns Wait states into tasks, whose default timeout is the longest real timer.
      if (state.Type === 'Task' && allStates(definition).get(name)?.Type === 'Wait') {
        state.TimeoutSeconds = LONGEST_WAIT;
      }
    }
    return { handlers, machine: new this.#library.StateMachine(machine, { validationOptions: { noValidate: true } }) };
  }

  #task(name: string, state: TaskState): Handle {
    if (state.Resource.endsWith(':batch:submitJob.sync')) {
      return (execution, input) => this.#attempt(execution, 'dump', () => this.#submit(execution, input));
    }
    const step = name === 'Reschedule' ? 'reschedule' : 'compare';
    return (execution, input) => this.#attempt(execution, step, () => this.#invoke(execution, step, input));
  }

  #wait(state: WaitState): Handle {
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
    const ok = !(outcome instanceof TaskError);
    execution.attempts.push({ step, started, ended: clock.now, ok, prevented });
    if (outcome instanceof TaskError) {
      throw outcome;
    }
    return outcome;
  }

  async #invoke(execution: Execution, step: Step, input: Json): Promise<AttemptResult> {
    const { clock, faults, functions } = this.#context;
    const { FunctionName, Payload } = invokeSchema.parse(input);
    const called = functions.find(({ arn, name }) => arn === FunctionName || name === FunctionName);
    if (called === undefined) {
      return failure('Lambda.ResourceNotFoundException', FunctionName, false);
    }
    const { kind, latency } = faults.decide(`${step}|${execution.secret.index}|${execution.when}`, INVOKE_FAULTS);
    await clock.sleep(latency);
    if (kind === 'invocation refused') {
      return failure('Lambda.TooManyRequestsException', 'Rate Exceeded.', true);
    }
    const { result, invocation } = await this.#context.invoke(called, Payload);
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
    const variables = jobSchema.parse(input).ContainerOverrides.Environment.map(({ Value }) => Value);
    try {
      const detail = await this.#context.batch.submitJob(input, execution, (answered) => {
        execution.jobs.push(this.#context.clock.now);
        if (!answered) {
          execution.lostResponses += 1;
        }
        this.#context.onSubmitted(execution, variables);
      });
      return { outcome: detail, prevented: false };
    } catch (error) {
      if (!(error instanceof TaskError)) {
        throw error;
      }
      return { outcome: error, prevented: execution.jobs.length > before || error.name !== 'Batch.ClientException' };
    }
  }
}

/** The definition that executions are started with and keep. */
interface Deployment {
  readonly machine: StateMachine;
  readonly handlers: readonly (readonly [name: string, handle: Handle])[];
}

/** Runs a Wait or Task state. */
type Handle = (execution: Execution, input: Json) => Promise<Json>;

/** The result of one attempt at a step. */
interface AttemptResult {
  readonly outcome: Json | TaskError;
  readonly prevented: boolean;
}

function failure(name: string, cause: string, prevented: boolean): AttemptResult {
  return { outcome: new TaskError(name, cause), prevented };
}

function interpreter(clock: Clock, random: () => number): Library {
  const file = createRequire(import.meta.url).resolve('aws-local-stepfunctions');
  const module = SandboxedModule.of(file, ['Date', 'setTimeout', 'clearTimeout', 'Math']);
  return module.load({ ...virtualGlobals(clock, random) }) as Library;
}

async function endOf(result: Promise<Json>): Promise<ExecutionEnd> {
  try {
    await result;
    return { status: 'SUCCEEDED' };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error
      ? { status: 'FAILED', error: cause.name, cause: cause.message }
      : { status: 'FAILED', error: 'States.Runtime', cause: String(cause) };
  }
}
