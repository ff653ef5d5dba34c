import { AccessDenied, type Iam } from '../iam/iam.ts';
import { managedRuleCalls } from './service-calls.ts';

interface CreatedMachine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  /** Resources of its tasks, such as `arn:aws:states:::lambda:invoke`. */
  readonly integrations: readonly string[];
}

/**
 * Authorizes what Step Functions does when it creates a state machine: it assumes the machine's role, and creates the
 * rules that notify it of the end of jobs.
 *
 * @returns ARN of the role session
 * @throws {Error} worded as by AWS, if a call is denied
 */
export async function createMachine(iam: Iam, { arn, name, roleArn, integrations }: CreatedMachine): Promise<string> {
  const cannotAssume = `Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.`;
  const principal = await withMessage(cannotAssume, () =>
    iam.assume({ name: 'states.amazonaws.com', sourceArn: arn }, roleArn, name),
  );
  for (const call of integrations.flatMap(managedRuleCalls)) {
    const cannotMakeRule = `'${roleArn}' is not authorized to create managed-rule.`;
    await withMessage(cannotMakeRule, () => iam.authorize({ ...call, principal }));
  }
  return principal;
}

/** Step Functions has its own messages for denied calls. */
async function withMessage<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AccessDenied)) {
      throw error;
    }
    throw new Error(`${message} ${error.message}`, { cause: error });
  }
}
