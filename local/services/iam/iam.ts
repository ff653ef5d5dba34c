import { ACCOUNT } from '../../assembly/account.ts';
import type { Template } from '../../assembly/template.ts';
import type { Trace } from '../trace.ts';
import { ADMINISTRATOR, type Call, decide, type RequiredCall } from './decision.ts';
import { manualJobRoles } from './manual-jobs.ts';
import { type Policies, policiesOf } from './policies.ts';
import { type UnusedPermission, unusedPermissions, type UsedGrant } from './unused.ts';

/** IAM denied a call. The message is worded as by AWS. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
}

/** Summary of the calls made by the stack's roles, and by services on the stack's behalf. */
export interface Permissions {
  readonly calls: number;
  readonly denied: number;
  readonly unused: readonly UnusedPermission[];
}

/** A call, and whether it was allowed. */
export interface DecidedCall extends Call {
  readonly allowed: boolean;
}

/** An AWS service that acts on behalf of a resource of the stack. */
export interface Service {
  /** `events.amazonaws.com` */
  readonly name: string;
  /** ARN of that resource. */
  readonly sourceArn: string;
}

/** Identity and access management: allows or denies every call by the policies of the template, and records it. */
export class Iam {
  readonly #policies: Policies;
  readonly #manualJobRoles: ReadonlySet<string>;
  readonly #trace: Trace;
  readonly #calls: DecidedCall[] = [];
  readonly #grants = new Map<string, UsedGrant>();

  constructor(template: Template, trace: Trace) {
    this.#policies = policiesOf(template);
    this.#manualJobRoles = manualJobRoles(template, this.#policies);
    this.#trace = trace;
  }

  /** All calls so far in order, including those of the administrator. */
  get calls(): readonly DecidedCall[] {
    return this.#calls;
  }

  get permissions(): Permissions {
    const calls = this.#calls.filter(({ principal }) => principal !== ADMINISTRATOR);
    return {
      calls: calls.length,
      denied: calls.filter(({ allowed }) => !allowed).length,
      unused: unusedPermissions(this.#policies, [...this.#grants.values()], this.#manualJobRoles),
    };
  }

  /** @throws {AccessDenied} if the call is denied */
  async authorize(call: Call): Promise<void> {
    const decision = await decide(this.#policies, call);
    this.#calls.push({ ...call, allowed: decision.allowed });
    if (!decision.allowed) {
      this.#trace({ kind: 'call denied', message: decision.reason });
      throw new AccessDenied(decision.reason);
    }
    for (const grant of decision.grants) {
      const { action } = call;
      this.#grants.set(JSON.stringify([grant, action]), { ...grant, action });
    }
  }

  /** As {@link authorize}, for calls that are optional. @returns whether the call is allowed */
  async allows(call: Call): Promise<boolean> {
    try {
      await this.authorize(call);
      return true;
    } catch (error) {
      if (error instanceof AccessDenied) {
        return false;
      }
      throw error;
    }
  }

  /** As {@link authorize}, for a call that a service makes as itself. @throws {AccessDenied} if the call is denied */
  authorizeService({ name, sourceArn }: Service, call: Pick<RequiredCall, 'action' | 'resource'>): Promise<void> {
    return this.authorize({
      ...call,
      principal: name,
      context: { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': ACCOUNT },
    });
  }

  /**
   * Has a service assume a role.
   *
   * @returns ARN of the session, the principal of calls made with the role
   * @throws {AccessDenied} if the role does not trust the service
   */
  async assume(service: Service, roleArn: string, sessionName: string): Promise<string> {
    await this.authorizeService(service, { action: 'sts:AssumeRole', resource: roleArn });
    return sessionOf(roleArn, sessionName);
  }
}

/** ARN of a role session. */
export function sessionOf(roleArn: string, name: string): string {
  const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${name}`;
}
