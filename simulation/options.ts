import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseCommandLine } from '../local/host/command-line.ts';
import { InvalidOptions } from '../local/host/misuse.ts';

/** `scale` measures scans of many secrets instead. */
export type Options = { readonly kind: 'scale' } | SimulationOptions;

export interface SimulationOptions {
  readonly kind: 'simulation';
  readonly secrets: number;
  readonly days: number;
  readonly seed: number;
  readonly busy: boolean;
  readonly only?: readonly number[];
  readonly keep?: readonly string[];
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
  --scale       Instead measure what scans of up to 100,000 tagged secrets cost, and a day of checks for missing dumps of
                up to 10,000, and how long as many runs that are due at the same second take to start. Takes no other
                option.
  --help        Print this text.

Exit status: 0 if all invariants hold; 1 if one is violated, or if of --scale a scan was throttled, or a scan, check or run
failed; 2 for invalid options, ids of --keep that do not occur included; 128 + signal number after a signal; 3 if the
simulation failed.
`;

const MOST_SECRETS = 100_000;
const MOST_DAYS = 3650;

const WHOLE_NUMBER = /^\d{1,15}$/;

/** Of a secret event, such as 17.0, or of a fault, such as 9f1c2ab3. */
const ID = /^(\d+\.\d+|[0-9a-f]+)$/;

const wholeNumber = z.string().regex(WHOLE_NUMBER).transform(Number);

const count = (most: number) => wholeNumber.pipe(z.int().min(1).max(most));

const list = z.string().transform((text) => text.split(',').map((item) => item.trim()));

const schema = z.object({
  secrets: count(MOST_SECRETS).default(500),
  days: count(MOST_DAYS).default(365),
  busy: z.boolean().default(false),
  seed: wholeNumber.optional(),
  only: list.pipe(z.array(wholeNumber)).optional(),
  keep: z.union([z.literal('').transform((): string[] => []), list.pipe(z.array(z.string().regex(ID)))]).optional(),
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
  const { scale, ...others } = values;
  if (scale === true) {
    const ignored = Object.keys(others).map((name) => `--${name}`);
    if (ignored.length > 0) {
      throw new InvalidOptions(`--scale takes no other option, so remove ${ignored.join(', ')}. See --help.`);
    }
    return { kind: 'scale' };
  }
  const parsed = schema.safeParse(others);
  if (!parsed.success) {
    const invalid = new Set(parsed.error.issues.map(({ path: [name] }) => String(name)));
    throw new InvalidOptions([...invalid].map((name) => problemOf(name, values)).join('\n'));
  }
  const { secrets, days, seed = freshSeed, busy, only, keep } = parsed.data;
  const unknown = only?.filter((number) => number >= secrets) ?? [];
  if (unknown.length > 0) {
    throw new InvalidOptions(`--only names ${unknown.join(', ')}; secrets are numbered from 0 to ${secrets - 1}.`);
  }
  return {
    kind: 'simulation',
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
  only: 'a list of secret numbers, separated by commas, such as 3,17',
  keep: "a list of ids as shown in a history, separated by commas, such as 17.0,9f1c2ab3, or '' for none",
};

function problemOf(name: string, values: Readonly<Record<string, unknown>>): string {
  return `--${name} must be ${ALLOWED[name]}, not "${String(values[name])}". See --help.`;
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const { values } = parseCommandLine(args, (own) =>
    parseArgs({
      args: own,
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
    }),
  );
  return values;
}
