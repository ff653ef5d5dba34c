import { type State, STATES, type Status, TROUBLE } from '../../../contract.ts';
import { sum } from '../sum.ts';
import { html, type Html } from './html.ts';
import { colorOf, meaningId, rowOf, stateWords } from './page-row.ts';
import { POLICY, STYLE_ELEMENT } from './page-style.ts';
import { countOf, sizeOf, timeOf } from './units.ts';

/** What each state means, and which article of docs/operations.md says what to do. */
const MEANINGS: Readonly<Record<State, readonly [meaning: string, article?: string]>> = {
  overdue: ['A dump should be there by now, and no run is making it.', 'dump-overdue'],
  failing: ['A dump should be there by now, and its run has failed.', 'dump-overdue'],
  'rows vanished': [
    'Tables have lost more rows than they may, and are not known to have them again. An earlier dump still has them.',
    'rows-vanished',
  ],
  unchecked: ['The last check could not look at it. What is shown was found earlier.', 'alarm-freshness-failed'],
  'broken tag': [
    'A schedule or the time zone cannot be followed, so it is not dumped or not drilled.',
    'tags-that-cannot-be-followed',
  ],
  'drill overdue': ['A drill should have left evidence by now, and no run is making it.', 'drill-overdue'],
  'drill failed': ['What its last drill restored is not known to be equal to the dump.', 'drill-failed'],
  'old dump': ['Its newest dump is older than its schedule asks for. None is missing since its tags were first seen.'],
  'no dump': ['There is no dump of it in the buckets, and none is due now.'],
  'drills only': ['Only its drills are on a schedule, so its dumps are not looked for.'],
  late: ['A dump should be there by now, and its run is still going.', 'dump-late'],
  fresh: ['Its newest dump is as new as its schedule asks for.'],
};

const COLUMNS = [
  'State',
  'Secret',
  'Newest proven dump',
  'Sizes of the last dumps',
  'Last drill',
  'Schedule',
  'Next run',
] as const;

/** The status as one page: without scripts, and with nothing from anywhere else. */
export function pageOf(status: Status): string {
  const { generatedAt, stack, account, region, periodMinutes } = status;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${stack}: ${verdictOf(status)}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header>
          <h1>${stack}: dumps of databases</h1>
          <p class="soft">
            Account ${account}, ${region}. As of ${timeOf(generatedAt)}, written every ${periodMinutes} minutes.
          </p>
          <p class="verdict ${troubled(status) > 0 ? 'bad' : ''}">${verdictOf(status)}</p>
          ${countsOf(status)}
        </header>
        <main>${tableOf(status)}</main>
        ${footerOf(status)}
      </body>
    </html> `.toString();
}

/** How many secrets need attention. */
function troubled({ totals: { states } }: Status): number {
  return sum(TROUBLE.map((state) => states[state]));
}

function verdictOf(status: Status): string {
  const { secrets, states } = status.totals;
  const count = troubled(status);
  if (secrets === 0) {
    return 'No secret is on a schedule';
  }
  if (count > 0) {
    return `${countOf(count)} of ${secretsWords(secrets)} ${count === 1 ? 'needs' : 'need'} attention`;
  }
  if (states.fresh < secrets) {
    return `None of ${secretsWords(secrets)} needs attention`;
  }
  return secrets === 1 ? 'The only secret has its dump' : `All ${secretsWords(secrets)} have their dumps`;
}

function secretsWords(count: number): string {
  return `${countOf(count)} ${count === 1 ? 'secret' : 'secrets'}`;
}

/** How many there are of each state, with links to the first ones. */
function countsOf({ totals: { states } }: Status): Html {
  const items = STATES.filter((state) => states[state] > 0).map(
    (state) =>
      html`<li>
        <a class="${colorOf(state)}" href="#${idOf(state)}">${stateWords(state)} ${countOf(states[state])}</a>
      </li> `,
  );
  return html`<ul class="counts">
    ${items}
  </ul>`;
}

function idOf(state: State): string {
  return state.replace(' ', '-');
}

function tableOf({ secrets, generatedAt, totals }: Status): Html {
  const first = new Map(STATES.map((state) => [secrets.findIndex((entry) => entry.state === state), idOf(state)]));
  const rows = secrets.map((entry, index) => rowOf(entry, generatedAt, first.get(index)));
  return html`<table role="table">
    <caption>
      Every secret on a schedule, the most urgent first. The newest dumps take ${sizeOf(totals.bytes)} together.
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${COLUMNS.map((name) => html`<th role="columnheader" scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows}
    </tbody>
  </table> `;
}

function footerOf({ periodMinutes, totals: { states } }: Status): Html {
  const shown = STATES.filter((state) => states[state] > 0);
  const terms = shown.map((state) => {
    const [meaning, article] = MEANINGS[state];
    const advice = article === undefined ? [] : [html` What to do: <code>docs/operations.md#${article}</code>`];
    return html`<dt id="${meaningId(state)}" class="${colorOf(state)}">${stateWords(state)}</dt>
      <dd>${meaning}${advice}</dd> `;
  });
  return html`<footer>
    <h2>What the words mean</h2>
    <dl>
      ${terms}
      <dt>proven</dt>
      <dd>Before a dump was put into its bucket, every byte of it was read back as a valid archive.</dd>
      <dt>last drill</dt>
      <dd>
        The restore of a dump into a throwaway server. With “equal”, every table came out with the rows and contents
        that the dump has. The time is that to a usable database.
      </dd>
      <dt>rows</dt>
      <dd>Of all tables. With “about” they are the server’s estimate, otherwise they were counted in the dump.</dd>
    </dl>
    <p class="soft">
      Ages are as of the time at the top. If that is more than ${periodMinutes} minutes ago, no check has ended since:
      see <code>docs/operations.md#alarm-heartbeat-missing</code>.
    </p>
  </footer>`;
}
