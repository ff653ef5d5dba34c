import { measureRush } from '../../simulation/cost/rush.ts';

// A program of its own, since the state machine's interpreter takes objects of jest's realm for something else.
const [, , cdkOut = '', secrets] = process.argv;
process.stdout.write(JSON.stringify(await measureRush(cdkOut, Number(secrets))));
