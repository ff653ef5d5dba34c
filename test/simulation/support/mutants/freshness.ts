import { breakCode, breakTemplate } from '../broken-stack.ts';
import { type Mutant, SIMULATION } from './mutant.ts';

/** Freshness, and what notices that it does not run. */
export const freshnessMutants: readonly Mutant[] = [
  {
    bug: 'Freshness never reports',
    breakStack: breakCode(/if \(news\.length > 0\)/, 'if (news.length < 0)'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness reports again every hour',
    breakStack: breakCode(/const isNews = gaps\.open/, 'const isNews = true || gaps.open'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness does not remind daily',
    breakStack: breakCode(/ \|\| isADayAgo\(earlier, \w+\)/, ''),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 17235, days: 2, only: [7] },
  },
  {
    bug: 'Freshness forgets that a dump is caught up',
    breakStack: breakCode(/if \(before\.arrears !== (void 0|undefined) && gaps\.lasting/, 'if (false && gaps.lasting'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 33412, days: 2, only: [14] },
  },
  {
    bug: 'Freshness does not wait until a dump is overdue',
    breakStack: breakCode(/ - terms\.overdueAfterMs/, ''),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness takes a run that is still going for lost',
    breakStack: breakCode(/run\.status === "going" \? "late" : "overdue"/, '"overdue"'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 85689, days: 1, only: [22] },
  },
  {
    bug: 'Freshness does not say that a late dump is overdue now',
    breakStack: breakCode(/ \|\| kind === "overdue" && gaps\.lasting\?\.kind === "late"/, ''),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 9246, days: 1, only: [25] },
  },
  {
    bug: 'Freshness does not report a dump if a later one is there',
    breakStack: breakCode(/if \(gaps\.lost\.length > 0\)/, 'if (false)'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 15772, days: 1, only: [0] },
  },
  {
    bug: 'Freshness reports tags that cannot be followed again every hour',
    breakStack: breakCode(/(const isDue\w* = reported !== void 0) && isADayAgo\(reported, \w+\)/, '$1'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 59, days: 1, only: [14] },
  },
  {
    bug: 'Freshness does not remind of tags that cannot be followed',
    breakStack: breakCode(/const isDue\w* = reported !== void 0 && isADayAgo\(reported, \w+\)/, '$& && false'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 59, days: 2, only: [14] },
  },
  {
    bug: 'a report leaves the newest dump out',
    breakStack: breakCode(/newest, run, again: false/, 'newest: undefined, run, again: false'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 15772, days: 1, only: [0] },
  },
  {
    bug: 'a message calls every dump overdue',
    breakStack: breakCode(/TITLES\[news\.kind\]/, 'TITLES.overdue'),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 9246, days: 1, only: [25] },
  },
  {
    bug: 'the status does not say that a manifest could not be read',
    breakStack: breakCode(/return \{ problem: \w+\.problem, \.\.\./, 'return { ...'),
    invariant: 'true status',
    simulation: { ...SIMULATION, seed: 217, days: 1, only: [22] },
  },
  {
    bug: 'the status calls secrets fresh whose dumps are missing',
    breakStack: breakCode(/if \(watch\?\.arrears === (void 0|undefined)\)/, 'if (true)'),
    invariant: 'true status',
    simulation: { ...SIMULATION, seed: 85689, days: 1, only: [22] },
  },
  {
    bug: 'Freshness runs every six hours',
    breakStack: breakTemplate(({ Resources }) => {
      const [, rule] = Object.entries(Resources).find(([id]) => id.startsWith('FreshnessHourly')) ?? [];
      Object.assign(rule?.Properties ?? {}, { ScheduleExpression: 'rate(6 hours)' });
    }),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, days: 1, only: [0] },
  },
  {
    bug: 'tags that were just set owe dumps of the time before',
    breakStack: breakCode(/ \+ scanIntervalMs \+ SCAN_LAG_MS/, ' - 24 * 60 * 6e4'),
    invariant: 'no false report',
    simulation: { ...SIMULATION, seed: 14939, days: 1, only: [8] },
  },
  {
    bug: 'Freshness swallows errors',
    breakStack: breakCode(/if \(failures\.length > 0\)/, 'if (failures.length < 0)'),
    invariant: 'true ends',
    simulation: { ...SIMULATION, seed: 12108, days: 1, only: [0] },
  },
  {
    bug: 'no alarm notices that Freshness does not run',
    breakStack: breakTemplate(({ Resources }) => {
      for (const { Type, Properties } of Object.values(Resources)) {
        if (Type === 'AWS::CloudWatch::Alarm') {
          Object.assign(Properties, { TreatMissingData: 'notBreaching' });
        }
      }
    }),
    invariant: 'reported in time',
    simulation: { ...SIMULATION, seed: 931, days: 1, only: [1] },
  },
];
