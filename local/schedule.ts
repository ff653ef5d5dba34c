import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InvalidOptions } from './host/misuse.ts';
import type { Processes } from './host/processes.ts';
import type { Options } from './options.ts';

/** A program of the app, run from its source, since its bundle takes seconds to synthesize. */
const PREVIEW = fileURLToPath(new URL('../lambda/preview.ts', import.meta.url));

const decisionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['start', 'waiting']) }),
  z.object({ kind: z.enum(['later', 'skip', 'invalid']), reason: z.string() }),
]);

/** The tags of a secret with the schedule of the options. */
export function scheduleTags({ schedule, timezone }: Options): readonly { Key: string; Value: string }[] {
  return [
    { Key: 'autodump:start-schedule', Value: schedule },
    ...(timezone === undefined ? [] : [{ Key: 'autodump:timezone', Value: timezone }]),
  ];
}

/** The tag with a schedule of drills, in the time zone of the options. */
export function drillTag(): { Key: string; Value: string } {
  return { Key: 'autodump:drill-schedule', Value: '@weekly' };
}

/**
 * Asks the app whether it would start a run for the schedule.
 *
 * @throws {InvalidOptions} with the app's reason, if not
 * @throws {Error} if the app does not answer
 */
export async function refuseUnscheduled(options: Options, processes: Processes): Promise<void> {
  const { child, ended } = processes.start(process.execPath, [PREVIEW, JSON.stringify(scheduleTags(options))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [answer, end] = await Promise.all([child.stdout === null ? '' : text(child.stdout), ended]);
  if (end.kind !== 'exit' || end.status !== 0) {
    throw new Error('The app could not be asked about the schedule.');
  }
  const decision = decisionSchema.parse(JSON.parse(answer));
  switch (decision.kind) {
    case 'start':
    case 'waiting':
      return;
    case 'later':
      throw new InvalidOptions(
        `--schedule "${options.schedule}" is valid, but starts nothing now. ${decision.reason} Choose one that is due earlier.`,
      );
    case 'skip':
    case 'invalid':
      throw new InvalidOptions(`AutoDump would refuse this secret: ${decision.reason}.`);
  }
}
