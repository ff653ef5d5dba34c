import { z } from 'zod';
import type { Template } from '../../../local/assembly/template.ts';
import type { Secret } from '../../workload/secret-history.ts';
import { type Execution, type ExecutionEnd, runSite } from '../execution.ts';
import type { Json } from '../json.ts';
import type { SecretsManager } from '../secrets-manager.ts';
import { ServiceError } from '../service-error.ts';
import { START_QUOTA, TokenBucket } from '../token-bucket.ts';
import { deploy, type Deployment, loadInterpreter } from './deployment.ts';
import { listRunning } from './list-executions.ts';
import { machinesOf } from './machines.ts';
import { Steps, type StepsContext } from './steps.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const STOP_FAULTS = { 'stopped by hand': 0.003 };

/** How long the name of an ended execution cannot be reused. */
const NAME_RETENTION = 90 * DAY;

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LONGEST_EXECUTION = 365 * DAY;

const LONGEST_LISTING_LAG = MINUTE;

const describeSchema = z.object({ executionArn: z.string() });
const startSchema = z.object({ name: z.string(), input: z.string(), stateMachineArn: z.string() });
const inputSchema = z.object({
  secretArn: z.string(),
  when: z.iso.datetime(),
  purpose: z.enum(['dump', 'drill']).default('dump'),
});

export interface StepFunctionsContext extends StepsContext {
  readonly random: () => number;
  readonly secrets: SecretsManager;
  onStarted(execution: Execution): void;
  /** An execution of another state machine is started: one that checks whether a secret can be dumped. */
  onPreflightStarted(secret: Secret): void;
  onEnded(execution: Execution): void;
}

/**
 * Step Functions: the state machine of the runs, interpreted on the virtual clock. It is the one that waits. What
 * executions of others do has nothing to do with the schedule: they start, and that is all.
 */
export class StepFunctions {
  readonly arn: string;
  /** ARNs of the other state machines. */
  readonly #others: readonly string[];
  readonly #deploy: () => Deployment;
  readonly #context: StepFunctionsContext;
  readonly #executions = new Map<string, Execution>();
  /** In the order in which they were started, each with what aborts it. */
  readonly #running = new Map<Execution, () => void>();
  #deployment: Deployment;
  readonly #quota = new TokenBucket(START_QUOTA);

  constructor(template: Template, context: StepFunctionsContext) {
    this.#context = context;
    const { runs, others } = machinesOf(template);
    this.arn = runs.arn;
    this.#others = others;
    const interpreter = loadInterpreter(context.clock, context.random);
    const steps = new Steps(context);
    this.#deploy = () => deploy(interpreter, runs.definition, context.batch.revision, steps);
    this.#deployment = this.#deploy();
  }

  /** Running executions keep the definition that they were started with. */
  deploy(): void {
    this.#deployment = this.#deploy();
  }

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
  startExecution(request: unknown): object {
    const { name, input, stateMachineArn } = startSchema.parse(request);
    const { clock } = this.#context;
    if (stateMachineArn !== this.arn && !this.#others.includes(stateMachineArn)) {
      throw new ServiceError('StateMachineDoesNotExist', stateMachineArn);
    }
    if (!this.#quota.take(clock.now)) {
      throw new ServiceError('ThrottlingException', 'Rate exceeded');
    }
    if (!/^[0-9A-Za-z_-]{1,80}$/.test(name)) {
      throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
    }
    if (stateMachineArn !== this.arn) {
      this.#context.onPreflightStarted(this.#inputOf(input).secret);
      return { executionArn: name, startDate: clock.now / 1000 };
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
    this.#context.onStarted(execution);
    void this.#run(execution);
    return { executionArn: name, startDate: execution.started / 1000 };
  }

  /** Lists running executions. Those started within the last minute may be missing. */
  listExecutions(request: unknown): object {
    const { clock, random } = this.#context;
    const visible = clock.now - random() * LONGEST_LISTING_LAG;
    return listRunning(
      [...this.#running.keys()].filter(({ started }) => started <= visible),
      request,
    );
  }

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
  describeExecution(request: unknown): object {
    const { executionArn } = describeSchema.parse(request);
    const execution = this.#executions.get(executionArn.replace(/^.*:/, ''));
    if (execution === undefined) {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    }
    const { name, started, input, end } = execution;
    const description = { executionArn, stateMachineArn: this.arn, name, startDate: started / 1000, input };
    return { ...description, ...(end ?? { status: 'RUNNING' }) };
  }

  /** An operator stops all executions. */
  stopAll(): void {
    for (const [execution, abort] of this.#running) {
      execution.stopped = this.#context.clock.now;
      abort();
    }
  }

  #execution(name: string, input: string): Execution {
    const started = this.#context.clock.now;
    return { name, ...this.#inputOf(input), input, started, attempts: [], jobs: [], lostResponses: 0 };
  }

  #inputOf(text: string): Pick<Execution, 'secret' | 'when' | 'purpose'> {
    const { secretArn, when, purpose } = inputSchema.parse(JSON.parse(text));
    const secret = this.#context.secrets.find(secretArn);
    if (secret === undefined) {
      throw new Error(`An execution was started for ${secretArn}, a secret that never existed.`);
    }
    return { secret, purpose, when: Date.parse(when) };
  }

  async #run(execution: Execution): Promise<void> {
    const { machine, handlers } = this.#deployment;
    const run = machine.run(JSON.parse(execution.input) as Json, {
      context: {
        Execution: { Id: execution.name, Name: execution.name, StartTime: new Date(execution.started).toISOString() },
        StateMachine: { Id: this.arn },
      },
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(
          handlers.map(([name, handle]) => [name, (input: Json) => handle(execution, input)]),
        ),
      },
    });
    const { clock } = this.#context;
    const latestEnd = execution.started + LONGEST_EXECUTION;
    this.#running.set(execution, run.abort);
    const cancelTimeout = clock.at(latestEnd, run.abort);
    this.#maybeStop(execution, run.abort);
    const end = await endOf(run.result);
    cancelTimeout();
    if (clock.now >= latestEnd) {
      execution.end = { status: 'TIMED_OUT' };
    } else {
      execution.end = execution.stopped === undefined ? end : { status: 'ABORTED' };
    }
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
    const { when } = execution;
    const { kind, latency } = faults.decide(`stop|${runSite(execution)}`, STOP_FAULTS);
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
