import { METRICS, METRICS_DIMENSION, METRICS_NAMESPACE, type Status } from '../../../contract.ts';

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
  const metrics = [
    { name: METRICS.overdue, unit: 'Count', value: totals.states.overdue },
    { name: METRICS.failing, unit: 'Count', value: totals.states.failing },
    { name: METRICS.vanished, unit: 'Count', value: totals.states['rows vanished'] },
    { name: METRICS.drillOverdue, unit: 'Count', value: totals.states['drill overdue'] },
    { name: METRICS.drillFailed, unit: 'Count', value: totals.states['drill failed'] },
    // Without any dump it has no value.
    ...(ages.length === 0 ? [] : [{ name: METRICS.longest, unit: 'Seconds', value: Math.max(...ages) }]),
    { name: METRICS.bytes, unit: 'Bytes', value: bytes },
    { name: METRICS.seconds, unit: 'Seconds', value: seconds },
  ];
  return JSON.stringify({
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: [[METRICS_DIMENSION]],
          Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
        },
      ],
    },
    [METRICS_DIMENSION]: stack,
    ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])),
  });
}
