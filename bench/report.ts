/** What one run of one way took. */
export interface Row {
  readonly way: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memory: number;
  readonly memoryOfAll: number;
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
  'dump MB',
];

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}

/** The medians of each way, with the ratios of wall time that matter. */
export function table(rows: readonly Row[], ways: readonly string[]): string {
  const of = (way: string, value: (row: Row) => number) => median(rows.filter((row) => row.way === way).map(value));
  const wall = (way: string) => of(way, ({ seconds }) => seconds);
  const mebibytes = (bytes: number) => (bytes / 1024 ** 2).toFixed(0);
  const lines = ways.map((way) => [
    way,
    wall(way).toFixed(1),
    (wall(way) / wall('raw')).toFixed(2),
    (wall('predecessor') / wall(way)).toFixed(2),
    of(way, ({ cpuSeconds }) => cpuSeconds).toFixed(1),
    of(way, ({ serverCpu }) => serverCpu).toFixed(1),
    of(way, ({ s3Cpu }) => s3Cpu).toFixed(1),
    mebibytes(of(way, ({ memory }) => memory)),
    mebibytes(of(way, ({ memoryOfAll }) => memoryOfAll)),
    (of(way, ({ bytes }) => bytes) / 1e6).toFixed(0),
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
