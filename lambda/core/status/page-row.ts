import { type SecretStatus, type State, TROUBLE } from '../../../contract.ts';
import { executionLink } from '../console-links.ts';
import { durationOf } from '../words/duration.ts';
import { html, type Html } from './html.ts';
import { sparkline } from './sparkline.ts';
import { countOf, sizeOf, timeOf, utc } from './units.ts';
import { vanishedOf } from './vanished-rows.ts';

/** Longest reason on the page, in characters: with a thousand long ones it would be large. The status has all of it. */
const MAX_REASON = 200;

/** Before the word for a state, so that color is not the only sign of it. */
const MARKS: Readonly<Record<State, string>> = {
  overdue: '✖',
  failing: '✖',
  'rows vanished': '✖',
  unchecked: '?',
  'broken tag': '✖',
  'drill overdue': '✖',
  'drill failed': '✖',
  'old dump': '○',
  'no dump': '○',
  'drills only': '○',
  late: '…',
  fresh: '✓',
};

/** A state with its mark. */
export function stateWords(state: State): Html {
  return html`<span aria-hidden="true">${MARKS[state]}</span> ${state}`;
}

/** Id of the meaning of a state, further down on the page. */
export function meaningId(state: State): string {
  return `means-${state.replace(' ', '-')}`;
}

/** A state that leads to its meaning, unless nothing is to be said about it. */
function linkedState(state: State): Html {
  return state === 'fresh' ? stateWords(state) : html`<a href="#${meaningId(state)}">${stateWords(state)}</a>`;
}

/** CSS class for a state. */
export function colorOf(state: State): string {
  if (TROUBLE.includes(state)) {
    return 'bad';
  }
  return state === 'fresh' ? 'good' : 'warn';
}

/**
 * The row of a secret. The roles keep it a row of a table where the style does not show it as one.
 *
 * @param id if something links to it
 */
export function rowOf(entry: SecretStatus, generatedAt: string, id?: string): Html {
  const { secret, state, sizes, searched } = entry;
  return html`<tr role="row" ${id === undefined ? [] : html`id="${id}"`}>
    <td role="cell" class="state ${colorOf(state)}">${linkedState(state)}</td>
    <th role="rowheader" scope="row">${secret}${databaseOf(entry)}${reasonOf(entry)}${vanishedOf(entry)}</th>
    <td role="cell">${newestOf(entry, generatedAt)}</td>
    <td role="cell">
      ${sizes.length === 0 ? soft(searched === undefined ? 'not looked for' : 'none') : sparkline(sizes)}
    </td>
    <td role="cell">${drillOf(entry, generatedAt)}</td>
    <td role="cell">${scheduleOf(entry)}</td>
    <td role="cell">${nextOf(entry, generatedAt)}</td>
  </tr> `;
}

/** As of the last manifest that was read: only jobs know which database a secret is of. */
function databaseOf({ manifest }: SecretStatus): readonly Html[] {
  const { host, database, databases } = manifest ?? {};
  const what = database ?? (databases === undefined ? undefined : `${countOf(databases)} databases`);
  return host === undefined || what === undefined ? [] : [html`<small>${what} on ${host}</small>`];
}

function reasonOf({ state, reason, missing, execution, searched }: SecretStatus): readonly Html[] {
  return [
    ...(missing === undefined ? [] : [html`<p>${missingWords(missing)}</p>`]),
    ...(reason === undefined ? [] : [html`<p>${shortened(reason)}</p>`]),
    ...(state === 'unchecked' && searched !== undefined
      ? [html`<p>It was last looked at on ${timeOf(searched)}.</p>`]
      : []),
    ...(execution === undefined ? [] : [html`<p><a href="${executionLink(execution)}">Its run in the console</a></p>`]),
  ];
}

function missingWords({ first, last, count }: NonNullable<SecretStatus['missing']>): Html {
  return count === 1
    ? html`The dump of ${timeOf(last)} is missing.`
    : html`${count} dumps are missing, from ${timeOf(first)} to ${timeOf(last)}.`;
}

function shortened(text: string): string {
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}

function newestOf({ newest, manifest, searched, schedule }: SecretStatus, generatedAt: string): Html {
  if (newest === undefined) {
    return soft(schedule === undefined ? 'not looked for' : searched === undefined ? 'not looked for yet' : 'none');
  }
  const { scheduledFor, bytes, bucket, databases } = newest;
  const isOfNewest = manifest?.scheduledFor === scheduledFor;
  const facts = isOfNewest ? [manifestWords(manifest).join(', ')].filter(Boolean) : [];
  // A run for a time to come is one that did not wait for it.
  const made = scheduledFor < generatedAt ? scheduledFor : generatedAt;
  return html`<b>${distance(made, generatedAt)}</b><small>${utc(scheduledFor)}</small>${sizeOf(bytes)}<small
      >in ${bucket}</small
    >${databasesOf(databases)}${facts.map((fact) => html`<small>${fact}</small>`)}${earlierWords(manifest, isOfNewest)}`;
}

function databasesOf(databases: NonNullable<SecretStatus['newest']>['databases']): readonly Html[] {
  if (databases === undefined) {
    return [];
  }
  const { dumped, expected } = databases;
  return dumped === expected
    ? [html`<small>${countOf(dumped)} ${dumped === 1 ? 'database' : 'databases'}</small>`]
    : [
        html`<small class="warn"
          >${countOf(dumped)} of ${expected === undefined ? '?' : countOf(expected)} databases</small
        >`,
      ];
}

function manifestWords({ rows, rowsAre, seconds }: NonNullable<SecretStatus['manifest']>): readonly string[] {
  return [
    ...(rows === undefined
      ? []
      : [`${rowsAre === 'estimated' ? 'about ' : ''}${countOf(rows)} ${rows === 1 ? 'row' : 'rows'}`]),
    ...(seconds === undefined ? [] : [`made in ${secondsWords(seconds)}`]),
  ];
}

function earlierWords(manifest: SecretStatus['manifest'], isOfNewest: boolean): readonly Html[] {
  if (manifest?.problem !== undefined) {
    return [html`<small class="warn">${shortened(manifest.problem)}</small>`];
  }
  const words = manifest === undefined || isOfNewest ? [] : manifestWords(manifest);
  return words.length === 0 ? [] : [html`<small>${words.join(', ')} on ${utc(manifest?.scheduledFor ?? '')}</small>`];
}

function drillOf({ drill, drills }: SecretStatus, generatedAt: string): Html {
  const { missing, problem, next, words } = drills ?? {};
  const facts = [
    ...(drill?.seconds === undefined ? [] : [`usable after ${secondsWords(drill.seconds)}`]),
    ...(drill?.tables === undefined
      ? []
      : [`${countOf(drill.tables.equal)} of ${countOf(drill.tables.total)} tables equal`]),
    ...(words === undefined ? [] : [`schedule: ${words}`]),
    ...(next === undefined ? [] : [`next ${distance(next, generatedAt)}`]),
  ];
  return html`${verdictOf(drill, drills, generatedAt)}${facts.map((fact) => html`<small>${fact}</small>`)}${[
    ...(missing === undefined
      ? []
      : [`No evidence ${missing.count === 1 ? '' : `of ${missing.count} drills `}since ${utc(missing.first)}.`]),
    ...(problem === undefined ? [] : [shortened(problem)]),
  ].map((text) => html`<small class="warn">${text}</small>`)}`;
}

function verdictOf(drill: SecretStatus['drill'], drills: SecretStatus['drills'], generatedAt: string): Html {
  if (drill === undefined) {
    return soft(drills === undefined ? 'not scheduled' : 'none');
  }
  const { verdict, finishedAt } = drill;
  const color = verdict === 'equal' ? 'good' : 'bad';
  return html`<b class="${color}">${verdict}</b> ${distance(finishedAt, generatedAt)}<small>${utc(finishedAt)}</small>`;
}

function scheduleOf({ schedule }: SecretStatus): Html {
  if (schedule === undefined) {
    return soft('none for dumps');
  }
  const { words, expression, timezone } = schedule;
  return words === undefined
    ? html`<code>${expression}</code><small>${timezone}</small>`
    : html`${words}<small>${timezone}</small>`;
}

function nextOf({ next, state }: SecretStatus, generatedAt: string): Html {
  return next === undefined
    ? soft(state === 'unchecked' ? 'unknown' : 'none')
    : html`${distance(next, generatedAt)}<small>${utc(next)}</small>`;
}

/** Said of something that is not there. */
function soft(text: string): Html {
  return html`<span class="soft">${text}</span>`;
}

/** How far a time is from another: `2 h 14 min ago`, `in 3 d 1 h`. */
function distance(time: string, now: string): string {
  const milliseconds = Date.parse(time) - Date.parse(now);
  return milliseconds > 0 ? `in ${durationOf(milliseconds)}` : `${durationOf(-milliseconds)} ago`;
}

function secondsWords(seconds: number): string {
  const precise = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  return seconds < 120 ? `${precise}\u00a0s` : durationOf(seconds * 1000);
}
