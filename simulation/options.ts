import { parseArgs } from 'node:util';
import { z } from 'zod';

export interface Options {
  /** Show what scans of many secrets cost instead. */
  readonly scale: boolean;
  readonly secrets: number;
  readonly days: number;
  readonly seed: number;
  readonly busy: boolean;
  readonly only?: readonly number[];
  readonly keep?: readonly string[];
}

/** The command line makes no sense. */
export class InvalidOptions extends Error {
  override readonly name = 'InvalidOptions';
}

export const HELP = `Simulates the stack that "cdk deploy" would put on AWS in virtual time: its own state machine and functions, with
secrets that come, change and go, and all that may go wrong. Then it checks what happened against the rules.

  npx -y pnpm@12 simulate [options]

  --secrets N   How many secrets there are (default 500).
  --days N      How long to simulate (default 365).
  --seed N      Where chance comes from (default: a new one, which is printed). The same seed is the same history.
  --busy        Make most schedules hourly or more often: many runs in few days.
  --only LIST   Of all secrets only these, by their numbers: 3,17.
  --keep LIST   Of all changes to secrets and all faults only these, by the ids that a history shows: 17.0,9f1c2ab3.
  --scale       Instead show what a first and a settled scan of up to 100,000 tagged secrets cost.
  --help        This text.

Exit status: 0 if nothing violates a rule, 1 if something does, or if a scan of --scale was throttled or failed, 2 for
options that make no sense, 3 if it could not be simulated.
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
 * Reads the command line.
 *
 * @returns `help` if that is what was asked for
 * @throws {InvalidOptions}
 */
export function parseOptions(args: readonly string[], freshSeed: number): Options | 'help' {
  const values = parse(args);
  if (values.help === true) {
    return 'help';
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const wrong = new Set(parsed.error.issues.map(({ path: [name] }) => String(name)));
    throw new InvalidOptions([...wrong].map((name) => problemOf(name, values)).join('\n'));
  }
  const { secrets, days, seed = freshSeed, busy, scale, only, keep } = parsed.data;
  const unknown = only?.filter((number) => number >= secrets) ?? [];
  if (only?.length === 0 || unknown.length > 0) {
    throw new InvalidOptions(`--only names ${unknown.join(', ') || 'no secret'}; there are 0 to ${secrets - 1}.`);
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
  seed: 'a whole number',
  only: 'numbers of secrets, with commas between them',
};

function problemOf(name: string, given: Readonly<Record<string, unknown>>): string {
  return `--${name} must be ${ALLOWED[name]}, not "${String(given[name])}". See --help.`;
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
