import { parseArgs } from 'node:util';
import { z } from 'zod';

export interface Options {
  /** Measure scans of many secrets instead. */
  readonly scale: boolean;
  readonly secrets: number;
  readonly days: number;
  readonly seed: number;
  readonly busy: boolean;
  readonly only?: readonly number[];
  readonly keep?: readonly string[];
}

/** Invalid command line. */
export class InvalidOptions extends Error {
  override readonly name = 'InvalidOptions';
}

export const HELP = `Simulates the stack in virtual time: the synthesized state machine and functions, secrets that are created, changed and
deleted, and faults. Checks that the invariants of the design hold.

  npx -y pnpm@12 simulate [options]

  --secrets N   Number of secrets (default 500).
  --days N      Days to simulate (default 365).
  --seed N      Seed of the random numbers (default: a new one, which is printed). The same seed gives the same history.
  --busy        Make most schedules hourly or more frequent: many runs in few days.
  --only LIST   Simulate only these secrets, by number: 3,17.
  --keep LIST   Keep only these changes to secrets and these faults, by the ids shown in a history: 17.0,9f1c2ab3.
  --scale       Instead measure what scans of up to 100,000 tagged secrets cost, and how long up to 10,000 runs that are
                due at the same second take to start.
  --help        Print this text.

Exit status: 0 if all invariants hold; 1 if one is violated, or if of --scale a scan was throttled or failed, or a run failed;
2 for invalid options; 3 if the simulation failed.
`;

const MOST_SECRETS = 100_000;
const MOST_DAYS = 3650;

const count = (most: number) => z.coerce.number().int().min(1).max(most);

const schema = z.object({
  secrets: count(MOST_SECRETS).default(500),
  days: count(MOST_DAYS).default(365),
  busy: z.boolean().default(false),
  scale: z.boolean().default(false),
  seed: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .optional(),
  only: z
    .string()
    .transform((list) =>
      list
        .split(',')
        .filter((item) => item !== '')
        .map(Number),
    )
    .pipe(z.array(z.int().min(0)))
    .optional(),
  keep: z
    .string()
    .transform((list) => list.split(',').filter((item) => item !== ''))
    .optional(),
});

/**
 * Parses the command line.
 *
 * @param freshSeed the seed if none is passed
 * @returns `help` if help was requested
 * @throws {InvalidOptions}
 */
export function parseOptions(args: readonly string[], freshSeed: number): Options | 'help' {
  const values = parse(args);
  if (values.help === true) {
    return 'help';
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const invalid = new Set(parsed.error.issues.map(({ path: [name] }) => String(name)));
    throw new InvalidOptions([...invalid].map((name) => problemOf(name, values)).join('\n'));
  }
  const { secrets, days, seed = freshSeed, busy, scale, only, keep } = parsed.data;
  const unknown = only?.filter((number) => number >= secrets) ?? [];
  if (only?.length === 0 || unknown.length > 0) {
    throw new InvalidOptions(
      `--only names ${unknown.join(', ') || 'no secret'}; secrets are numbered from 0 to ${secrets - 1}.`,
    );
  }
  return {
    scale,
    secrets,
    days,
    seed,
    busy,
    ...(only === undefined ? {} : { only }),
    ...(keep === undefined ? {} : { keep }),
  };
}

const ALLOWED: Readonly<Record<string, string>> = {
  secrets: `a whole number from 1 to ${MOST_SECRETS}`,
  days: `a whole number from 1 to ${MOST_DAYS}`,
  seed: 'a whole number of up to 15 digits',
  only: 'a list of secret numbers, separated by commas',
};

function problemOf(name: string, values: Readonly<Record<string, unknown>>): string {
  return `--${name} must be ${ALLOWED[name]}, not "${String(values[name])}". See --help.`;
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        secrets: text,
        days: text,
        seed: text,
        only: text,
        keep: text,
        busy: { type: 'boolean' },
        scale: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new InvalidOptions(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}
