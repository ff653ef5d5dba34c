import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';
import { type SecretStatus, STATES, type Status, TROUBLE } from '../../contract.ts';
import { type Column, tableOf } from './table.ts';

/** How a text is set off from others. */
export type Style = 'red' | 'yellow' | 'green' | 'dim' | 'bold';

/** How many tables whose rows vanished are named below a secret, unless all are asked for. */
const MAX_TABLES = 3;

/** Sets a text off, where that is possible. */
export type Paint = (style: Style, text: string) => string;

/**
 * The status as lines for a terminal: when it was found, how many secrets are in each state, and a table.
 *
 * @param width of the terminal, in characters
 * @param isDetailed whether to say where the newest dump of each secret is, what its last drill compared, and to name
 *   all tables whose rows vanished
 */
export function reportOf(
  status: Status,
  now: Date,
  paint: Paint,
  width: number,
  isDetailed = false,
): readonly string[] {
  const { stack, account, region, generatedAt, secrets } = status;
  const counts = STATES.flatMap((state) => {
    const count = secrets.filter((entry) => entry.state === state).length;
    return count === 0 ? [] : [paint(styleOf(state), `${count} ${state}`)];
  });
  const [titles = '', ...rows] = tableOf(columnsOf(secrets, now), width);
  return [
    `${printable(stack)}, account ${account}, ${region}, as of ${utc(generatedAt)} (${distance(generatedAt, now)})`,
    counts.join(', ') || 'No secret is on a schedule.',
    ...(secrets.length === 0 ? [] : ['', paint('dim', titles)]),
    ...secrets.flatMap((entry, index) => [
      paintState(entry, rows[index] ?? '', paint),
      ...[...notesOf(entry, isDetailed), ...(isDetailed ? detailsOf(entry) : [])].map(
        (note) => `    ${printable(note)}`,
      ),
    ]),
  ];
}

/** The most important first, since a narrow terminal shows only those. */
function columnsOf(secrets: readonly SecretStatus[], now: Date): readonly Column[] {
  const column = (title: string, cell: (entry: SecretStatus) => string): Column => ({
    title,
    cells: secrets.map((entry) => printable(cell(entry))),
  });
  return [
    column('STATE', ({ state }) => state),
    column('SECRET', ({ secret }) => secret),
    column('NEWEST DUMP', (entry) => newestOf(entry, now)),
    column('SIZE', ({ newest }) => (newest === undefined ? '' : prettyBytes(newest.bytes))),
    column('NEXT RUN', (entry) => nextOf(entry, now)),
    column('LAST DRILL', (entry) => drillOf(entry, now)),
    column('SCHEDULE', scheduleOf),
    column('ROWS', rowsOf),
  ];
}

function scheduleOf({ schedule }: SecretStatus): string {
  return schedule === undefined ? 'no dumps' : `${schedule.words ?? `"${schedule.expression}"`}, ${schedule.timezone}`;
}

function newestOf({ newest, searched }: SecretStatus, now: Date): string {
  if (newest === undefined) {
    return searched === undefined ? 'not searched' : 'none';
  }
  return `${distance(newest.scheduledFor, now)}${partOf(newest)}`;
}

/** How many databases of a run are dumped, unless all are. */
function partOf({ databases }: NonNullable<SecretStatus['newest']>): string {
  const { dumped, expected } = databases ?? {};
  return dumped === expected ? '' : `, ${dumped} of ${expected ?? '?'}`;
}

function nextOf({ next, state }: SecretStatus, now: Date): string {
  if (next === undefined) {
    return state === 'unchecked' ? 'unknown' : 'none';
  }
  return Date.parse(next) > now.getTime() ? distance(next, now) : `due ${distance(next, now)}`;
}

function drillOf({ drill, drills }: SecretStatus, now: Date): string {
  if (drill === undefined) {
    return drills === undefined ? '' : 'none';
  }
  const { verdict, finishedAt, seconds } = drill;
  const usable = seconds === undefined ? '' : `, ${prettyMilliseconds(seconds * 1000, { unitCount: 2 })}`;
  return `${verdict} ${distance(finishedAt, now)}${usable}`;
}

/** Of the newest dump. */
function rowsOf({ newest, manifest }: SecretStatus): string {
  const { rows, rowsAre } = manifest?.scheduledFor === newest?.scheduledFor ? (manifest ?? {}) : {};
  return rows === undefined ? '' : `${rowsAre === 'estimated' ? 'about ' : ''}${rows.toLocaleString('en')}`;
}

/** What is wrong with a secret. */
function notesOf(
  { missing, reason, manifest, drills, vanished }: SecretStatus,
  isDetailed: boolean,
): readonly string[] {
  return [
    ...(missing === undefined ? [] : [`Missing: ${gapOf(missing)}`]),
    ...(drills?.missing === undefined ? [] : [`Drills without evidence: ${gapOf(drills.missing)}`]),
    ...(reason === undefined ? [] : [reason]),
    ...(vanished === undefined ? [] : vanishedOf(vanished, isDetailed ? Infinity : MAX_TABLES)),
    ...(manifest?.problem === undefined ? [] : [manifest.problem]),
    ...(drills?.problem === undefined ? [] : [`Last drill: ${drills.problem}`]),
  ];
}

/** @param count how many tables, of those that lost most */
function vanishedOf({ tables, more }: NonNullable<SecretStatus['vanished']>, count: number): readonly string[] {
  const left = Math.max(tables.length - count, 0) + more;
  return [
    ...tables.slice(0, count).map(({ table, before, after, earlier: { bucket, key } }) => {
      const now = after === 'gone' ? after : after.toLocaleString('en');
      return `Rows vanished: ${table} had ${before.toLocaleString('en')}, now ${now}; the last dump that has them: s3://${bucket}/${key}`;
    }),
    ...(left === 0 ? [] : [`Rows vanished: ${left} more ${left === 1 ? 'table' : 'tables'}`]),
  ];
}

function gapOf({ first, last, count }: NonNullable<SecretStatus['missing']>): string {
  return count === 1 ? utc(last) : `${count} from ${utc(first)} to ${utc(last)}`;
}

function detailsOf({ newest, drill }: SecretStatus): readonly string[] {
  const { tables } = drill ?? {};
  return [
    ...(newest === undefined ? [] : [`Newest dump: s3://${newest.bucket}/${newest.key}${othersOf(newest)}`]),
    ...(tables === undefined ? [] : [`Last drill: ${tables.equal} of ${tables.total} tables equal`]),
  ];
}

function othersOf({ databases }: NonNullable<SecretStatus['newest']>): string {
  const others = (databases?.dumped ?? 1) - 1;
  return others < 1 ? '' : `, and ${others} of other databases`;
}

function paintState({ state }: SecretStatus, row: string, paint: Paint): string {
  return `${paint(styleOf(state), state)}${row.slice(state.length)}`;
}

function styleOf(state: SecretStatus['state']): Style {
  if (TROUBLE.includes(state)) {
    return 'red';
  }
  return state === 'fresh' ? 'green' : 'yellow';
}

/** Without what a terminal would act on: tags and reasons may contain anything. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
}

/** How far a time is from now: `2h 14m ago`, `in 3d 1h`. */
export function distance(time: string, now: Date): string {
  const milliseconds = Date.parse(time) - now.getTime();
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  const words = minutes === 0 ? '0m' : prettyMilliseconds(minutes * 60_000, { unitCount: 2 });
  return milliseconds > 0 ? `in ${words}` : `${words} ago`;
}

/** `2026-11-22 08:00 UTC` */
function utc(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
