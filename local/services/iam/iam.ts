import { ACCOUNT, type Template } from '../../assembly/template.ts';
import type { Report } from '../trace.ts';
import { rolesByHand } from './by-hand.ts';
import { ADMINISTRATOR, type Call, decide } from './decision.ts';
import { type Policies, policiesOf } from './policies.ts';
import { type UnusedPermission, unusedPermissions, type UsedGrant } from './unused.ts';

/** AWS said no. The message is AWS's own. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
}

/** What became of the calls that the stack made, in the names of its roles and by services. */
export interface Permissions {
  readonly calls: number;
  readonly denied: number;
  readonly unused: readonly UnusedPermission[];
}

/** A call as it was decided. */
export interface DecidedCall extends Call {
  readonly allowed: boolean;
}

/** A service that acts for a resource of the stack. */
export interface Service {
  /** `events.amazonaws.com` */
  readonly name: string;
  /** ARN of what it acts for. */
  readonly sourceArn: string;
}

/** Identity and access management: decides every call by the policies of the template, and keeps account of them. */
export class Iam {
  readonly #policies: Policies;
  readonly #byHand: ReadonlySet<string>;
  readonly #report: Report;
  readonly #calls: DecidedCall[] = [];
  readonly #grants = new Map<string, UsedGrant>();

  constructor(template: Template, report: Report) {
    this.#policies = policiesOf(template);
    this.#byHand = rolesByHand(template, this.#policies);
    this.#report = report;
  }

  /** The calls that were decided, in their order; the administrator's own are among them. */
  get calls(): readonly DecidedCall[] {
    return this.#calls;
  }

  get permissions(): Permissions {
    const calls = this.#calls.filter(({ principal }) => principal !== ADMINISTRATOR);
    return {
      calls: calls.length,
      denied: calls.filter(({ allowed }) => !allowed).length,
      unused: unusedPermissions(this.#policies, [...this.#grants.values()], this.#byHand),
    };
  }

  /** @throws {AccessDenied} */
  async demand(call: Call): Promise<void> {
    const decision = await decide(this.#policies, call);
    this.#calls.push({ ...call, allowed: decision.allowed });
    if (!decision.allowed) {
      this.#report({ kind: 'call denied', message: decision.reason });
      throw new AccessDenied(decision.reason);
    }
    for (const grant of decision.grants) {
      const { action } = call;
      this.#grants.set(JSON.stringify([grant, action]), { ...grant, action });
    }
  }

  /** As {@link demand}, for what goes on without. @returns whether it is allowed */
  async allows(call: Call): Promise<boolean> {
    try {
      await this.demand(call);
      return true;
    } catch (error) {
      if (error instanceof AccessDenied) {
        return false;
      }
      throw error;
    }
  }

  /** A call of a service in its own name. @throws {AccessDenied} */
  demandFor({ name, sourceArn }: Service, call: Pick<Call, 'action' | 'resource'>): Promise<void> {
    return this.demand({
      ...call,
      principal: name,
      context: { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': ACCOUNT },
    });
  }

  /**
   * Lets a service take on a role, if the role trusts it.
   *
   * @returns ARN of the session, the principal of what is done in the role's name
   * @throws {AccessDenied}
   */
  async assume(service: Service, roleArn: string, sessionName: string): Promise<string> {
    await this.demandFor(service, { action: 'sts:AssumeRole', resource: roleArn });
    return sessionOf(roleArn, sessionName);
  }
}

/** ARN of a session of a role. */
export function sessionOf(roleArn: string, name: string): string {
  const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${name}`;
}
