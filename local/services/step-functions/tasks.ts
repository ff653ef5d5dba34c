import type { StateMachine } from 'aws-local-stepfunctions';
import { z } from 'zod';
import type { TaskState } from '../../assembly/state-machine.ts';
import type { Batch } from '../batch/batch.ts';
import type { Iam } from '../iam/iam.ts';
import type { LambdaFunction } from '../lambda/lambda-function.ts';
import { authorizeTask, type Caller, TaskError } from '../task.ts';

export type Json = Parameters<StateMachine['run']>[0];
export type TaskHandler = (input: Json, caller: Caller) => Promise<Json>;

export const jsonSchema: z.ZodType<Json> = z.json();

export interface TaskDependencies {
  readonly functions: readonly LambdaFunction[];
  readonly batch: Batch;
  readonly iam: Iam;
}

/** @throws {Error} if the local run does not support the task's resource */
export function taskHandler(name: string, { Resource }: TaskState, dependencies: TaskDependencies): TaskHandler {
  switch (Resource.replace(/^arn:[^:]+:/, '')) {
    case 'states:::lambda:invoke':
      return (input, caller) => invoke(input, caller, dependencies);
    case 'states:::batch:submitJob.sync':
      return async (input, caller) => jsonSchema.parse(await dependencies.batch.submitJob(input, caller));
    default:
      throw new Error(`The state ${name} calls ${Resource}, which the local run does not support.`);
  }
}

async function invoke(input: Json, { principal }: Caller, { functions, iam }: TaskDependencies): Promise<Json> {
  const { FunctionName, Payload } = z.object({ FunctionName: z.string(), Payload: z.unknown() }).parse(input);
  const called = functions.find(({ arn, name }) => arn === FunctionName || name === FunctionName);
  if (called === undefined) {
    throw new TaskError('Lambda.ResourceNotFoundException', `Function not found: ${FunctionName}`);
  }
  const call = { principal, action: 'lambda:InvokeFunction', resource: called.arn };
  await authorizeTask(iam, 'Lambda.AWSLambdaException', call);
  const result = await called.invoke(Payload);
  if (result.kind === 'failed') {
    throw new TaskError(result.error.errorType, JSON.stringify(result.error));
  }
  return {
    ExecutedVersion: '$LATEST',
    Payload: jsonSchema.parse(result.payload),
    SdkHttpMetadata: { HttpStatusCode: 200 },
    StatusCode: 200,
  };
}
