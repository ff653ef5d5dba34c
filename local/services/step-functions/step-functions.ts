import type {
  ListExecutionsInput,
  ListExecutionsOutput,
  StartExecutionInput,
  StartExecutionOutput,
  StopExecutionInput,
  StopExecutionOutput,
} from '@aws-sdk/client-sfn';
import { ExecutionAbortedError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { z } from 'zod';
import { allStates, runnable, type TaskState, type WaitState } from '../../assembly/state-machine.ts';
import type { Resource, Template } from '../../assembly/template.ts';
import type { Batch } from '../batch/batch.ts';
import type { Execution, ExecutionEnd } from '../execution.ts';
import { type Iam, sessionOf } from '../iam/iam.ts';
import type { LambdaFunction } from '../lambda/lambda.ts';
import { createMachine } from '../permissions/machine-creation.ts';
import { ServiceError } from '../protocol/json-endpoint.ts';
import { type Caller, permitted, TaskError } from '../task.ts';
import type { Report } from '../trace.ts';
import { waiting, waitUntil } from './wait.ts';

/** Pauses between retries, which on AWS are seconds to minutes. */
const RETRY_MS = 200;

export interface StepFunctionsSurroundings {
  readonly functions: readonly LambdaFunction[];
  readonly batch: Batch;
  readonly iam: Iam;
  readonly report: Report;
}

type Json = Parameters<StateMachine['run']>[0];
type TaskHandler = (input: Json, caller: Caller) => Promise<Json>;

interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly definition: StateMachineDefinition;
  readonly interpreter: StateMachine;
}

/** Step Functions: runs the state machines of the template as `aws-local-stepfunctions` interprets them. */
export class StepFunctions {
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #executions = new Map<string, Execution>();
  readonly #surroundings: StepFunctionsSurroundings;
  readonly #ending = new AbortController();

  constructor(template: Template, surroundings: StepFunctionsSurroundings) {
    this.#surroundings = surroundings;
    this.#machines = new Map(
      template.ofType('AWS::StepFunctions::StateMachine').map((resource) => {
        const machine = machineOf(template, resource);
        for (const [name, state] of allStates(machine.definition)) {
          if (state.Type === 'Task') {
            this.#handler(name, state);
          }
        }
        return [machine.arn, machine];
      }),
    );
  }

  /**
   * Creates the machines.
   *
   * @throws {Error} with the words of AWS if a role does not let Step Functions do so
   */
  async create(): Promise<void> {
    for (const { arn, name, roleArn, definition } of this.#machines.values()) {
      const states = [...allStates(definition).values()];
      const integrations = states.flatMap((state) => (state.Type === 'Task' ? [state.Resource] : []));
      await createMachine(this.#surroundings.iam, { arn, name, roleArn, integrations });
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

  /** Lists what runs, the newest first, in one page: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html */
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

  /** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html */
  stopExecution({ executionArn = '' }: StopExecutionInput): StopExecutionOutput {
    const execution = this.#executions.get(executionArn);
    if (execution === undefined) {
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    }
    execution.stopping.abort();
    return { stopDate: new Date() };
  }

  /** Aborts what runs and waits. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.executions.map(({ ended }) => ended));
  }

  #start(machine: Machine, arn: string, name: string, input: string): Execution {
    const { report } = this.#surroundings;
    let begin: (ended: Promise<ExecutionEnd>) => void = () => undefined;
    const ended = new Promise<ExecutionEnd>((resolve) => {
      begin = resolve;
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
    report({ kind: 'execution started', execution });
    begin(this.#run(machine, execution));
    return execution;
  }

  async #run(machine: Machine, execution: Execution): Promise<ExecutionEnd> {
    const run = machine.interpreter.run(jsonSchema.parse(JSON.parse(execution.input)), {
      context: {
        Execution: { Id: execution.arn, Name: execution.name },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
      overrides: this.#overrides(machine, execution),
    });
    const ending = AbortSignal.any([this.#ending.signal, execution.stopping.signal]);
    ending.addEventListener('abort', run.abort, { once: true });
    const end = await endOf(run.result);
    ending.removeEventListener('abort', run.abort);
    execution.end = end;
    this.#surroundings.report({ kind: 'execution ended', execution });
    return end;
  }

  #overrides(machine: Machine, execution: Execution): object {
    const { report } = this.#surroundings;
    const states = [...allStates(machine.definition)];
    const caller = { principal: sessionOf(machine.roleArn, machine.name), stopped: execution.stopping.signal };
    const handlers = states.flatMap(([name, state]): [string, (input: Json) => Promise<Json>][] => {
      if (state.Type === 'Wait') {
        return [[name, (input) => this.#wait(state, execution, input)]];
      }
      if (state.Type !== 'Task') {
        return [];
      }
      const handle = this.#handler(name, state);
      let entered = false;
      const reported = (input: Json): Promise<Json> => {
        report({ kind: entered ? 'task retried' : 'task entered', execution, state: name });
        entered = true;
        return handle(input, caller);
      };
      return [[name, reported]];
    });
    const retrying = states.filter(([, state]) => 'Retry' in state);
    return {
      taskResourceLocalHandlers: Object.fromEntries(handlers),
      retryIntervalOverrides: Object.fromEntries(retrying.map(([name]) => [name, RETRY_MS])),
    };
  }

  #handler(name: string, { Resource }: TaskState): TaskHandler {
    switch (Resource.replace(/^arn:[^:]+:/, '')) {
      case 'states:::lambda:invoke':
        return (input, caller) => this.#invoke(input, caller);
      case 'states:::batch:submitJob.sync':
        return async (input, caller) => jsonSchema.parse(await this.#surroundings.batch.submitJob(input, caller));
      default:
        throw new Error(`The state ${name} calls ${Resource}, which the local run does not know.`);
    }
  }

  async #invoke(input: Json, { principal }: Caller): Promise<Json> {
    const { FunctionName, Payload } = z.object({ FunctionName: z.string(), Payload: z.unknown() }).parse(input);
    const called = this.#surroundings.functions.find(({ arn, name }) => arn === FunctionName || name === FunctionName);
    if (called === undefined) {
      throw new TaskError('Lambda.ResourceNotFoundException', `No function ${FunctionName}.`);
    }
    await permitted(this.#surroundings.iam, 'Lambda.AWSLambdaException', {
      principal,
      action: 'lambda:InvokeFunction',
      resource: called.arn,
    });
    const result = await called.invoke(Payload);
    if (result.kind === 'failed') {
      throw new TaskError(result.error.errorType, JSON.stringify(result.error));
    }
    const Answer = jsonSchema.parse(result.payload);
    return { ExecutedVersion: '$LATEST', Payload: Answer, SdkHttpMetadata: { HttpStatusCode: 200 }, StatusCode: 200 };
  }

  async #wait(state: WaitState, execution: Execution, input: Json): Promise<Json> {
    const until = waitUntil(state, input, new Date());
    const { over, finish } = waiting(until, this.#ending.signal);
    execution.wait = { until, finish };
    this.#surroundings.report({ kind: 'waiting', execution, until });
    await over;
    delete execution.wait;
    return input;
  }
}

const jsonSchema: z.ZodType<Json> = z.json();

function machineOf(template: Template, resource: Resource): Machine {
  const { DefinitionString, RoleArn } = template.properties(
    resource,
    z.object({ DefinitionString: z.string(), RoleArn: z.string() }),
  );
  const definition = JSON.parse(DefinitionString) as StateMachineDefinition;
  const interpreter = new StateMachine(runnable(definition), { validationOptions: { checkArn: false } });
  return { arn: template.arnOf(resource), name: template.nameOf(resource), roleArn: RoleArn, definition, interpreter };
}

async function endOf(result: Promise<Json>): Promise<ExecutionEnd> {
  try {
    return { status: 'SUCCEEDED', output: await result };
  } catch (error) {
    if (error instanceof ExecutionAbortedError) {
      return { status: 'ABORTED' };
    }
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error
      ? { status: 'FAILED', error: cause.name, cause: cause.message }
      : { status: 'FAILED', error: 'States.Runtime', cause: String(cause) };
  }
}
