import { parseArgs } from 'node:util';
import { parseCommandLine } from '../local/host/command-line.ts';
import { InvalidOptions } from '../local/host/misuse.ts';
import { type Shape, SHAPES } from './database.ts';
import { type Method, METHODS } from './methods.ts';

export interface Options {
  /** Bytes of the database on disk. */
  readonly size: number;
  readonly rounds: number;
  readonly shape: Shape;
  /** Bytes a second that each connection to the database receives; unlimited by default. */
  readonly perConnection?: number;
  /** Bytes of the disk that the measured programs have; unlimited by default. */
  readonly disk?: number;
  /** The methods to measure. */
  readonly methods: readonly Method[];
  /** Folder of pg_dump and pg_restore, searched before the PATH. */
  readonly clientPath?: string;
}

export const USAGE = `Usage: bench [--size 1GB] [--shape several] [--rounds 3] [--methods METHOD,…]
             [--per-connection 60MB/s] [--disk 1GB] [--client-path FOLDER]

  --size            size of the generated database: a number with MB or GB; default 1GB
  --shape           its tables: several of unequal size, or one huge with nine tenths of the rows; default several
  --rounds          number of times to measure each method; default 3
  --methods         which to measure, separated by commas; default: all of
                    ${METHODS.slice(0, 5).join(', ')},
                    ${METHODS.slice(5, 9).join(', ')},
                    ${METHODS.slice(9).join(', ')}
  --per-connection  most bytes that each connection to the database receives: a number with MB/s; default: no limit
  --disk            size of the disk for files of the measured programs, which is in memory: a number with MB or GB;
                    requires root on Linux; default: no limit
  --client-path     folder of pg_dump and pg_restore; default: those on the PATH

Exit status: 0 on success, 64 for invalid options, 128 + number for a signal, 1 for other failures.`;

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

/** @throws {InvalidOptions} if an option is unknown or its value is invalid */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const size = parseBytes('size', values.size);
  const rounds = Number(values.rounds);
  if (!/^\d{1,9}$/.test(values.rounds) || rounds < 1) {
    throw new InvalidOptions(`--rounds must be a positive whole number, not ${values.rounds}.`);
  }
  const shape = SHAPES.find((each) => each === values.shape);
  if (shape === undefined) {
    throw new InvalidOptions(`--shape must be ${SHAPES.join(' or ')}, not ${values.shape}.`);
  }
  const limit = values['per-connection'];
  const perConnection = Number(/^(\d+(?:\.\d+)?) ?MB\/s$/i.exec(limit ?? '')?.[1]) * 1e6;
  if (limit !== undefined && !(perConnection > 0)) {
    throw new InvalidOptions(`--per-connection must be a positive number with MB/s, such as 60MB/s, not ${limit}.`);
  }
  const clientPath = values['client-path'];
  return {
    ...{ size, rounds, shape, methods: parseMethods(values.methods) },
    ...(limit === undefined ? {} : { perConnection }),
    ...(values.disk === undefined ? {} : { disk: parseBytes('disk', values.disk) }),
    ...(clientPath === undefined ? {} : { clientPath }),
  };
}

function parseBytes(option: string, value: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(MB|GB)$/i.exec(value) ?? [];
  const bytes = Number(number) * (UNITS[unit.toUpperCase()] ?? NaN);
  if (!(bytes > 0)) {
    throw new InvalidOptions(`--${option} must be a positive number with MB or GB, such as 1.5GB, not ${value}.`);
  }
  return bytes;
}

function parseMethods(list: string): readonly Method[] {
  const names = list.split(',').map((name) => name.trim());
  const unknown = names.find((name) => METHODS.every((method) => method !== name));
  if (unknown !== undefined) {
    throw new InvalidOptions(`--methods must be of ${METHODS.join(', ')}, not ${unknown}.`);
  }
  return METHODS.filter((method) => names.includes(method));
}

function parse(args: readonly string[]) {
  const { values } = parseCommandLine(args, (own) =>
    parseArgs({
      args: own,
      options: {
        size: { type: 'string', default: '1GB' },
        shape: { type: 'string', default: 'several' },
        rounds: { type: 'string', default: '3' },
        'per-connection': { type: 'string' },
        disk: { type: 'string' },
        methods: { type: 'string', default: METHODS.join(',') },
        'client-path': { type: 'string' },
      },
    }),
  );
  return values;
}
