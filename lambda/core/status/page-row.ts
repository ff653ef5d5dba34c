import { type SecretStatus, type State, TROUBLE } from '../../../contract.ts';
import { executionLink } from '../console-links.ts';
import { durationOf } from '../words/duration.ts';
import { html, type Html } from './html.ts';
import { sparkline } from './sparkline.ts';
import { countOf, sizeOf } from './units.ts';

/** Longest reason on the page, in characters: with a thousand long ones it would be large. The status has all of it. */
const MAX_REASON = 200;

/** Before the word for a state, so that color is not the only sign of it. */
const MARKS: Readonly<Record<State, string>> = {
  overdue: '✖',
  failing: '✖',
  unchecked: '?',
  'broken tag': '✖',
  'drill overdue': '✖',
  'drill failed': '✖',
  'old dump': '○',
  'no dump': '○',
  late: '…',
  fresh: '✓',
};

/** A state with its mark. */
export function stateWords(state: State): Html {
  return html`<span aria-hidden="true">${MARKS[state]}</span> ${state}`;
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
  const { secret, state, sizes } = entry;
  return html`<tr role="row" ${id === undefined ? [] : html`id="${id}"`}>
    <td role="cell" class="state ${colorOf(state)}">${stateWords(state)}</td>
    <th role="rowheader" scope="row">${secret}${databaseOf(entry)}${reasonOf(entry)}</th>
    <td role="cell">${newestOf(entry, generatedAt)}</td>
    <td role="cell">${sizes.length === 0 ? html`<span class="soft">none</span>` : sparkline(sizes)}</td>
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
      ? [html`<p>It was looked at last on ${utc(searched)}.</p>`]
      : []),
    ...(execution === undefined ? [] : [html`<p><a href="${executionLink(execution)}">Its run in the console</a></p>`]),
  ];
}

function missingWords({ first, last, count }: NonNullable<SecretStatus['missing']>): string {
  return count === 1
    ? `The dump of ${utc(last)} is missing.`
    : `${count} dumps are missing, from ${utc(first)} to ${utc(last)}.`;
}

function shortened(text: string): string {
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON)}…` : text;
}

function newestOf({ newest, manifest, searched }: SecretStatus, generatedAt: string): Html {
  if (newest === undefined) {
    return html`<span class="soft">${searched === undefined ? 'not looked for yet' : 'none'}</span>`;
  }
  const { scheduledFor, bytes, bucket, databases } = newest;
  const isOfNewest = manifest?.scheduledFor === scheduledFor;
  const facts = isOfNewest ? manifestWords(manifest) : [];
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
  const { missing, problem, next } = drills ?? {};
  const facts = [
    ...(drill?.seconds === undefined ? [] : [`usable after ${secondsWords(drill.seconds)}`]),
    ...(drill?.tables === undefined
      ? []
      : [`${countOf(drill.tables.equal)} of ${countOf(drill.tables.total)} tables equal`]),
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
    return html`<span class="soft">${drills === undefined ? 'not scheduled' : 'none'}</span>`;
  }
  const { verdict, finishedAt } = drill;
  const color = verdict === 'equal' ? 'good' : 'bad';
  return html`<b class="${color}">${verdict}</b> ${distance(finishedAt, generatedAt)}<small>${utc(finishedAt)}</small>`;
}

function scheduleOf({ schedule: { words, expression, timezone } }: SecretStatus): Html {
  return words === undefined
    ? html`<code>${expression}</code><small>${timezone}</small>`
    : html`${words}<small>${timezone}</small>`;
}

function nextOf({ next, state }: SecretStatus, generatedAt: string): Html {
  return next === undefined
    ? html`<span class="soft">${state === 'unchecked' ? 'unknown' : 'none'}</span>`
    : html`${distance(next, generatedAt)}<small>${utc(next)}</small>`;
}

/** How far a time is from another: `2 h 14 min ago`, `in 3 d 1 h`. */
function distance(time: string, now: string): string {
  const milliseconds = Date.parse(time) - Date.parse(now);
  return milliseconds > 0 ? `in ${durationOf(milliseconds)}` : `${durationOf(-milliseconds)} ago`;
}

function secondsWords(seconds: number): string {
  const precise = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds);
  return seconds < 120 ? `${precise} s` : durationOf(seconds * 1000);
}

/** `2026-11-22 08:00 UTC` */
export function utc(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
}
