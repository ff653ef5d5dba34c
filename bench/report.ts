/** The resources that one run of a method used. */
export interface Row {
  readonly method: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memory: number;
  readonly memoryWithChildren: number;
  readonly disk: number;
  readonly bytes: number;
  readonly serverCpu: number;
  readonly s3Cpu: number;
}

const HEADER = [
  'median of',
  'wall s',
  'x raw',
  'x faster than predecessor',
  'CPU s',
  'server CPU s',
  'S3 CPU s',
  'MiB',
  'MiB with children',
  'disk MB',
  'dump MB',
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

function medianOf(rows: readonly Row[], method: string, value: (row: Row) => number): number {
  return median(rows.filter((row) => row.method === method).map(value));
}

/** A ratio of two numbers; a dash if one of them was not measured. */
function ratio(one: number, other: number): string {
  return Number.isFinite(one / other) ? (one / other).toFixed(2) : '-';
}

/** Compares two methods, if both were measured: `1.02 x CPU s, 1.05 x wall s`. */
function compared(rows: readonly Row[], method: string, other: string): string | undefined {
  if (![method, other].every((each) => rows.some((row) => row.method === each))) {
    return undefined;
  }
  const times = (value: (row: Row) => number) => ratio(medianOf(rows, method, value), medianOf(rows, other, value));
  return `${times(({ cpuSeconds }) => cpuSeconds)} x CPU s, ${times(({ seconds }) => seconds)} x wall s`;
}

/** A line for what the census costs, and one for what a restore takes, as far as both sides were measured. */
export function comparisons(rows: readonly Row[]): string {
  const costs = ['file', 'stream'].flatMap((method) => {
    const cost = compared(rows, method, `${method} without census`);
    return cost === undefined ? [] : [`${method} ${cost}`];
  });
  const restore = compared(rows, 'restore', 'restore by hand');
  return [
    ...(costs.length === 0 ? [] : [`with / without census: ${costs.join('; ')}`]),
    ...(restore === undefined ? [] : [`restore / by hand: ${restore}`]),
  ]
    .map((line) => `\n\n${line}`)
    .join('');
}

/** Formats the medians of each method, with ratios of wall time. */
export function table(rows: readonly Row[], methods: readonly string[]): string {
  const of = (method: string, value: (row: Row) => number) => medianOf(rows, method, value);
  const wall = (method: string) => of(method, ({ seconds }) => seconds);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const mebibytes = (bytes: number) => (bytes / 1024 ** 2).toFixed(0);
  const lines = methods.map((method) => [
    method,
    wall(method).toFixed(1),
    ratio(wall(method), wall('raw')),
    ratio(wall('predecessor'), wall(method)),
    of(method, ({ cpuSeconds }) => cpuSeconds).toFixed(1),
    of(method, ({ serverCpu }) => serverCpu).toFixed(1),
    of(method, ({ s3Cpu }) => s3Cpu).toFixed(1),
    mebibytes(of(method, ({ memory }) => memory)),
    mebibytes(of(method, ({ memoryWithChildren }) => memoryWithChildren)),
    megabytes(of(method, ({ disk }) => disk)),
    megabytes(of(method, ({ bytes }) => bytes)),
  ]);
  const widths = HEADER.map((_, column) => Math.max(...[HEADER, ...lines].map((line) => line[column]?.length ?? 0)));
  return [HEADER, ...lines]
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
