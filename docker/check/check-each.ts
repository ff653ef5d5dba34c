import type { S3Client } from '@aws-sdk/client-s3';
import { FEW, listed } from '../listed.ts';
import { chooseDatabases, type ChosenDatabases, FIRST_ASKED } from '../plan/choose-databases.ts';
import { planOf, type SecretPlan } from '../plan/plan.ts';
import { ConnectionFailure } from '../postgres/connection/connection-failure.ts';
import { tlsPolicy } from '../postgres/connection/tls/tls.ts';
import type { RunContext } from '../run-context.ts';
import { notConnected } from './connection-findings.ts';
import { type Finding, ok, problem, unchecked, warning } from './finding.ts';
import { keyFinding } from './key-finding.ts';
import { runPreflight } from './preflight.ts';

const DATABASES = 'Databases';

/**
 * Runs the checks of a dump for each database that a secret asks for. Of those that a dump could start of there is one
 * finding each, and what is not as it should be.
 */
export async function checkEach(secret: SecretPlan, s3: S3Client, context: RunContext): Promise<readonly Finding[]> {
  let chosen: ChosenDatabases;
  try {
    chosen = await chooseDatabases(secret, context);
  } catch (error) {
    return notChosen(secret, error, context);
  }
  const findings = [chosenFinding(chosen)];
  for (const name of chosen.names) {
    const plan = planOf(chosen.secret, name);
    const key = await keyFinding(plan, s3, context.signal);
    const { findings: others } = await runPreflight(plan, s3, context);
    findings.push(...findingsOf(name, [key, ...others]));
  }
  return findings;
}

function notChosen({ server }: SecretPlan, error: unknown, { rdsRoots }: RunContext): readonly Finding[] {
  if (!(error instanceof ConnectionFailure)) {
    return [problem(DATABASES, error)];
  }
  const asked = { ...server, database: FIRST_ASKED };
  return [...notConnected(asked, tlsPolicy(server, rdsRoots), error), ...unchecked(DATABASES)];
}

function chosenFinding({ names, leftOut }: ChosenDatabases): Finding {
  const detail = `${names.length} to dump`;
  const left = leftOut.map(({ database, reason }) => `"${database}" (${reason})`);
  return left.length === 0 ? ok(DATABASES, detail) : warning(DATABASES, `${detail}; left out: ${listed(left, FEW)}`);
}

/** The names of these checks begin with the database, on one line and without the blanks that end such a name. */
function findingsOf(database: string, findings: readonly Finding[]): readonly Finding[] {
  const prefix = `"${database.replace(/\s+/g, ' ')}"`;
  const telling = findings
    .filter(({ state }) => state === 'problem' || state === 'warning')
    .map((finding) => ({ ...finding, check: `${prefix} ${finding.check}` }))
    .map((finding) =>
      finding.state === 'problem' && finding.sql.length > 0
        ? { ...finding, sql: [`-- In the database ${prefix}:`, ...finding.sql] }
        : finding,
    );
  const isReady = telling.every(({ state }) => state !== 'problem');
  return isReady ? [ok(prefix, `${findings.length} checks: a dump can start`), ...telling] : telling;
}
