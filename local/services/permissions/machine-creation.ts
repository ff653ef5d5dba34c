import { AccessDenied, type Iam } from '../iam/iam.ts';
import { managedRuleCalls } from './service-calls.ts';

interface CreatedMachine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  /** What its tasks call, such as `arn:aws:states:::lambda:invoke`. */
  readonly integrations: readonly string[];
}

/**
 * What Step Functions does when a machine is created: it takes on the machine's role, and makes the rules that tell of
 * the end of jobs.
 *
 * @returns the session of the role
 * @throws {Error} with the words of AWS if it may not
 */
export async function createMachine(iam: Iam, { arn, name, roleArn, integrations }: CreatedMachine): Promise<string> {
  const cannotAssume = `Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.`;
  const principal = await inOneWord(cannotAssume, () =>
    iam.assume({ name: 'states.amazonaws.com', sourceArn: arn }, roleArn, name),
  );
  for (const call of integrations.flatMap(managedRuleCalls)) {
    const cannotMakeRule = `'${roleArn}' is not authorized to create managed-rule.`;
    await inOneWord(cannotMakeRule, () => iam.demand({ ...call, principal }));
  }
  return principal;
}

/** Step Functions does not pass on what it was told. */
async function inOneWord<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AccessDenied)) {
      throw error;
    }
    throw new Error(`${message} ${error.message}`, { cause: error });
  }
}
