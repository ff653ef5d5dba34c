import { METRICS, METRICS_DIMENSION, METRICS_NAMESPACE, type Status } from '../../../contract.ts';

type Metric = keyof typeof METRICS;

const UNITS: Readonly<Record<Metric, 'Count' | 'Seconds' | 'Bytes'>> = {
  overdue: 'Count',
  failing: 'Count',
  oldest: 'Seconds',
  bytes: 'Bytes',
  seconds: 'Seconds',
};

/** What a check found that was new. */
export interface Progress {
  /** Bytes of the dumps that it found, and the one before did not. */
  readonly bytes: number;
  /** Seconds that dumps took whose manifests it read. */
  readonly seconds: number;
}

/**
 * The metrics of a check, as a line of a log from which CloudWatch takes them: embedded metric format.
 *
 * Source: Amazon CloudWatch, "Specification: Embedded metric format".
 */
export function metricsLine({ generatedAt, stack, totals, secrets }: Status, { bytes, seconds }: Progress): string {
  const now = Date.parse(generatedAt);
  const ages = secrets.flatMap(({ newest }) =>
    newest === undefined ? [] : [(now - Date.parse(newest.scheduledFor)) / 1000],
  );
  const values: Readonly<Record<Metric, number | undefined>> = {
    overdue: totals.states.overdue,
    failing: totals.states.failing,
    // Without any dump it has no value.
    oldest: ages.length === 0 ? undefined : Math.max(...ages),
    bytes,
    seconds,
  };
  const known = METRIC_KEYS.filter((metric) => values[metric] !== undefined);
  return JSON.stringify({
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: [[METRICS_DIMENSION]],
          Metrics: known.map((metric) => ({ Name: METRICS[metric], Unit: UNITS[metric] })),
        },
      ],
    },
    [METRICS_DIMENSION]: stack,
    ...Object.fromEntries(known.map((metric) => [METRICS[metric], values[metric]])),
  });
}

const METRIC_KEYS: readonly Metric[] = ['overdue', 'failing', 'oldest', 'bytes', 'seconds'];
