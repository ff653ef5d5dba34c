import type {
  DescribeExecutionInput,
  DescribeExecutionOutput,
  ListExecutionsInput,
  ListExecutionsOutput,
  StartExecutionInput,
  StartExecutionOutput,
  StopExecutionInput,
  StopExecutionOutput,
} from '@aws-sdk/client-sfn';
import { ExecutionAbortedError } from 'aws-local-stepfunctions';
import { allStates, type WaitState } from '../../assembly/state-machine.ts';
import type { Template } from '../../assembly/template.ts';
import type { Execution, ExecutionEnd } from '../execution.ts';
import { sessionOf } from '../iam/iam.ts';
import { createMachine } from '../permissions/machine-creation.ts';
import { ServiceError } from '../protocol/json-endpoint.ts';
import type { Trace } from '../trace.ts';
import { integrationsOf, type Machine, readMachine } from './machine.ts';
import { type Json, jsonSchema, type TaskDependencies, taskHandler } from './tasks.ts';
import { waiting, waitUntil } from './wait.ts';

/** Delay of retries, which on AWS takes seconds to minutes. */
const RETRY_MS = 200;

export interface StepFunctionsDependencies extends TaskDependencies {
  readonly trace: Trace;
  /** Puts the event of an execution that has started or ended on the event bus. */
  readonly announce: (execution: Execution) => void;
}

/** Step Functions: runs the state machines of the template with the interpreter `aws-local-stepfunctions`. */
export class StepFunctions {
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #executions = new Map<string, Execution>();
  readonly #dependencies: StepFunctionsDependencies;
  readonly #stopping = new AbortController();

  /** @throws {Error} naming a state that the local run does not support */
  constructor(template: Template, dependencies: StepFunctionsDependencies) {
    this.#dependencies = dependencies;
    this.#machines = new Map(
      template.ofType('AWS::StepFunctions::StateMachine').map((resource) => {
        const machine = readMachine(template, resource);
        for (const [name, state] of allStates(machine.definition)) {
          if (state.Type === 'Task') {
            taskHandler(name, state, dependencies);
          }
        }
        return [machine.arn, machine];
      }),
    );
  }

  /**
   * Authorizes the creation of the machines.
   *
   * @throws {Error} worded as by AWS, if a machine's role lacks a permission
   */
  async create(): Promise<void> {
    for (const machine of this.#machines.values()) {
      await createMachine(this.#dependencies.iam, { ...machine, integrations: integrationsOf(machine) });
    }
  }

  get executions(): readonly Execution[] {
    return [...this.#executions.values()];
  }

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
  startExecution({ stateMachineArn = '', name = '', input = '{}' }: StartExecutionInput): StartExecutionOutput {
    const machine = this.#machines.get(stateMachineArn);
    if (machine === undefined) {
      throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
    }
    if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u.test(name)) {
      throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
    }
    const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = this.#executions.get(arn);
    if (existing !== undefined) {
      if (existing.end === undefined && existing.input === input) {
        return { executionArn: arn, startDate: existing.startDate };
      }
      throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const execution = this.#start(machine, arn, name, input);
    return { executionArn: arn, startDate: execution.startDate };
  }

  /**
   * Lists the running executions, newest first, in one page:
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
   */
  listExecutions({ stateMachineArn = '' }: ListExecutionsInput): ListExecutionsOutput {
    const running = this.executions.filter((one) => one.end === undefined && one.stateMachineArn === stateMachineArn);
    return {
      executions: running.reverse().map(({ arn, name, startDate }) => ({
        executionArn: arn,
        stateMachineArn,
        name,
        startDate,
        status: 'RUNNING',
      })),
    };
  }

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html */
  describeExecution({ executionArn = '' }: DescribeExecutionInput): DescribeExecutionOutput {
    const { arn, name, stateMachineArn, startDate, input, end } = this.#find(executionArn);
    return {
      executionArn: arn,
      name,
      stateMachineArn,
      startDate,
      input,
      status: end?.status ?? 'RUNNING',
      ...(end?.status === 'FAILED' ? { error: end.error, cause: end.cause } : {}),
      ...(end?.status === 'SUCCEEDED' ? { output: JSON.stringify(end.output) } : {}),
    };
  }

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html */
  stopExecution({ executionArn = '', cause }: StopExecutionInput): StopExecutionOutput {
    this.#find(executionArn).stopping.abort(cause);
    return { stopDate: new Date() };
  }

  /** @throws {ServiceError} if it does not exist */
  #find(executionArn: string): Execution {
    const execution = this.#executions.get(executionArn);
    if (execution === undefined) {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    }
    return execution;
  }

  /** Aborts all executions, and waits until they have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.executions.map(({ ended }) => ended));
  }

  #start(machine: Machine, arn: string, name: string, input: string): Execution {
    let run: (end: Promise<ExecutionEnd>) => void = () => undefined;
    const ended = new Promise<ExecutionEnd>((resolve) => {
      run = resolve;
    });
    const execution: Execution = {
      arn,
      name,
      stateMachineArn: machine.arn,
      input,
      startDate: new Date(),
      ended,
      stopping: new AbortController(),
    };
    this.#executions.set(arn, execution);
    this.#dependencies.trace({ kind: 'execution started', execution });
    this.#dependencies.announce(execution);
    // Only now: running the execution traces more events.
    run(this.#run(machine, execution));
    return execution;
  }

  async #run(machine: Machine, execution: Execution): Promise<ExecutionEnd> {
    const run = machine.interpreter.run(jsonSchema.parse(JSON.parse(execution.input)), {
      context: {
        Execution: { Id: execution.arn, Name: execution.name, StartTime: execution.startDate.toISOString() },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
      overrides: this.#overrides(machine, execution),
    });
    const stopping = AbortSignal.any([this.#stopping.signal, execution.stopping.signal]);
    stopping.addEventListener('abort', run.abort, { once: true });
    const end = await endOf(run.result, execution.stopping.signal);
    stopping.removeEventListener('abort', run.abort);
    execution.end = end;
    this.#dependencies.trace({ kind: 'execution ended', execution });
    if (!this.#stopping.signal.aborted) {
      this.#dependencies.announce(execution);
    }
    return end;
  }

  #overrides({ definition, roleArn, name: machineName }: Machine, execution: Execution): object {
    const { trace } = this.#dependencies;
    const states = [...allStates(definition)];
    const caller = { principal: sessionOf(roleArn, machineName), stopped: execution.stopping.signal };
    const handlers = states.flatMap(([name, state]): [string, (input: Json) => Promise<Json>][] => {
      if (state.Type === 'Wait') {
        return [[name, (input) => this.#wait(state, execution, input)]];
      }
      if (state.Type !== 'Task') {
        return [];
      }
      const handle = taskHandler(name, state, this.#dependencies);
      let entered = false;
      const traced = (input: Json): Promise<Json> => {
        trace({ kind: entered ? 'task retried' : 'task entered', execution, state: name });
        entered = true;
        return handle(input, caller);
      };
      return [[name, traced]];
    });
    const retrying = states.filter(([, state]) => 'Retry' in state);
    return {
      taskResourceLocalHandlers: Object.fromEntries(handlers),
      retryIntervalOverrides: Object.fromEntries(retrying.map(([name]) => [name, RETRY_MS])),
    };
  }

  async #wait(state: WaitState, execution: Execution, input: Json): Promise<Json> {
    const until = waitUntil(state, input, new Date());
    const { over, finish } = waiting(until, this.#stopping.signal);
    execution.wait = { until, finish };
    this.#dependencies.trace({ kind: 'waiting', execution, until });
    await over;
    delete execution.wait;
    return input;
  }
}

/** @param stopped aborted with the cause, if any, when the execution is stopped */
async function endOf(result: Promise<Json>, stopped: AbortSignal): Promise<ExecutionEnd> {
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) {
      const cause: unknown = stopped.reason;
      return { status: 'ABORTED', ...(typeof cause === 'string' ? { cause } : {}) };
    }
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error
      ? { status: 'FAILED', error: cause.name, cause: cause.message }
      : { status: 'FAILED', error: 'States.Runtime', cause: String(cause) };
  }
}
