import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import pMap from 'p-map';
import * as z from 'zod/mini';
import type { ScannerEnvironment } from '../contract.ts';
import { decide, type SecretDescription } from './core/decision.ts';
import { secretName } from './core/execution.ts';
import { secretNamedBy } from './core/tag-event.ts';
import { describeSecret, listTaggedSecrets } from './secrets.ts';
import { startExecution } from './start-execution.ts';

/** What a scan did about one secret. */
export interface Finding {
  readonly secret: string;
  readonly outcome: 'started' | 'waiting' | 'later' | 'skipped' | 'failed';
  /** The next run, UTC, RFC 3339, where there is one. */
  readonly when?: string;
  readonly reason?: string;
}

/** A scan went through all secrets, and these could not be handled. */
export class ScanFailed extends Error {
  override readonly name = 'ScanFailed';
  constructor(failed: readonly Finding[]) {
    const each = failed.map(({ secret, reason }) => `${secret}: ${String(reason)}`);
    super(`${failed.length} secret(s) could not be scheduled, all others were.\n${each.join('\n')}`);
  }
}

/** Enough to fill the quota of StartExecution (150 a second in small Regions); the client slows down when it is met. */
const CONCURRENCY = 10;

const environment: z.ZodMiniType<ScannerEnvironment> = z.object({ STATE_MACHINE_ARN: z.string() });
const secretsManager = new SecretsManagerClient();
const stepFunctions = new SFNClient({ retryMode: 'adaptive', maxAttempts: 10 });

/**
 * The Scanner function: starts the next run of every tagged secret of the account's Region. The secret that the event
 * names comes first, described afresh, since the listing lags behind changes.
 *
 * @throws ScanFailed after all others are done, naming every secret that could not be handled
 */
export async function handler(event: unknown): Promise<readonly Finding[]> {
  const { STATE_MACHINE_ARN } = environment.parse(process.env);
  const findings: Finding[] = [];
  const report = (finding: Finding) => {
    console.info(finding);
    findings.push(finding);
  };
  const named = secretNamedBy(event);
  const fresh = named === undefined ? undefined : await scanNamed(named, STATE_MACHINE_ARN, report);
  for await (const page of listTaggedSecrets(secretsManager)) {
    const others = page.filter((secret) => secret.ARN !== fresh?.ARN);
    const scanned = await pMap(others, (secret) => scan(secret, STATE_MACHINE_ARN), { concurrency: CONCURRENCY });
    scanned.forEach(report);
  }
  const failed = findings.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0) {
    throw new ScanFailed(failed);
  }
  return findings;
}

/** Scans the secret that the event names, if it still exists, and returns it so that the listing can leave it out. */
async function scanNamed(
  secretId: string,
  stateMachineArn: string,
  report: (finding: Finding) => void,
): Promise<SecretDescription | undefined> {
  try {
    const secret = await describeSecret(secretsManager, secretId);
    report(
      secret
        ? await scan(secret, stateMachineArn)
        : { secret: secretId, outcome: 'skipped', reason: 'It does not exist any more.' },
    );
    return secret;
  } catch (error) {
    report({ secret: secretId, outcome: 'failed', reason: String(error) });
    return undefined;
  }
}

/** Does what is due for one secret. Whatever goes wrong stays with this secret and is reported by its name. */
async function scan(secret: SecretDescription, stateMachineArn: string): Promise<Finding> {
  const name = secretName(secret.ARN);
  try {
    const decision = decide(secret, new Date());
    switch (decision.kind) {
      case 'start': {
        const outcome = await startExecution(stepFunctions, stateMachineArn, decision.input);
        return { secret: name, outcome, when: decision.input.when };
      }
      case 'later':
        return { secret: name, outcome: 'later', when: decision.when, reason: decision.reason };
      case 'skip':
        return { secret: name, outcome: 'skipped', reason: decision.reason };
      case 'invalid':
        return { secret: name, outcome: 'failed', reason: decision.reason };
    }
  } catch (error) {
    return { secret: name, outcome: 'failed', reason: String(error) };
  }
}
