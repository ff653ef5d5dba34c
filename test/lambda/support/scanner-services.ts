import { LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';

/** State machine of the runs. */
export const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:AutoDump';

/** State machine of the checks. */
export const CHECKS = 'arn:aws:states:us-west-2:123456789012:stateMachine:Checks';

/** The services that the Scanner calls. */
export const secrets = mockClient(SecretsManagerClient);
export const machine = mockClient(SFNClient);
export const objects = mockClient(S3Client);
export const functions = mockClient(LambdaClient);

/** An account without secrets, executions and memo. */
export function resetServices(): void {
  Object.assign(process.env, {
    STATE_MACHINE_ARN: MACHINE,
    CHECK_STATE_MACHINE_ARN: CHECKS,
    MEMO_BUCKET: 'memo',
    AWS_LAMBDA_FUNCTION_NAME: 'scanner',
  });
  for (const client of [secrets, machine, objects, functions]) {
    client.reset();
  }
  objects.on(GetObjectCommand).rejects(new NoSuchKey({ message: 'none', $metadata: {} }));
  secrets.on(ListSecretsCommand).resolves({ SecretList: [] });
  machine.on(StartExecutionCommand).callsFake(() => ({ executionArn: 'x', startDate: new Date() }));
  machine.on(ListExecutionsCommand).resolves({ executions: [] });
}

export const arn = (name: string) => `arn:aws:secretsmanager:us-west-2:123456789012:secret:${name}-a1B2c3`;

export const tagged = (name: string, schedule = '0 8 * * *') => ({
  ARN: arn(name),
  Name: name,
  Tags: [{ Key: 'autodump:start-schedule', Value: schedule }],
});

export const tagEvent = (secretId: string) => ({
  detail: { eventName: 'TagResource', requestParameters: { secretId } },
});

/** The requests to start executions of a state machine. */
export const startsOf = (stateMachineArn: string) =>
  machine.commandCalls(StartExecutionCommand, { stateMachineArn }).map(({ args: [{ input }] }) => input);

/** ARNs of the secrets that these are about. */
export const startedOf = (stateMachineArn: string) =>
  startsOf(stateMachineArn).map(({ input }) => (JSON.parse(String(input)) as { secretArn: string }).secretArn);

/** Has the next scan read a memo. */
export function setMemo(text: string): void {
  objects.on(GetObjectCommand).resolves({ Body: { transformToString: () => Promise.resolve(text) } as never });
}

/** Has the next scan read the memo that the last one wrote. */
export function keepMemo(): void {
  setMemo(objects.commandCalls(PutObjectCommand).at(-1)?.args[0].input.Body as string);
}
