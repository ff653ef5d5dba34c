import { z } from 'zod';
import type { Template } from '../../local/assembly/template.ts';

const breachingSchema = z.object({ TreatMissingData: z.literal('breaching') });

const alarmSchema = z.object({
  ComparisonOperator: z.string(),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  Metrics: z
    .array(
      z.object({
        Expression: z.string().optional(),
        MetricStat: z
          .object({
            Metric: z.object({ Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]) }),
            Period: z.number(),
          })
          .optional(),
      }),
    )
    .default([]),
});

/**
 * How long a function may not have ended well until an alarm of the template goes off, in milliseconds: the alarm on
 * its invocations without errors, in which missing data count as none. Infinite if there is none.
 */
export function heartbeatOf(template: Template, functionName: string): number {
  const waits = template
    .ofType('AWS::CloudWatch::Alarm')
    .filter(({ properties }) => breachingSchema.safeParse(properties).success)
    .map((resource) => template.properties(resource, alarmSchema))
    .filter(
      ({ ComparisonOperator, Threshold, Metrics }) =>
        ComparisonOperator === 'LessThanThreshold' &&
        Threshold === 1 &&
        Metrics.some(({ Expression }) => Expression === 'invocations - errors'),
    )
    .map(({ EvaluationPeriods, Metrics }) => {
      const stats = Metrics.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [MetricStat]));
      const isAboutIt = stats.every(({ Metric }) => Metric.Dimensions.some(({ Value }) => Value === functionName));
      // A period in which it ended well may have begun right before it.
      return isAboutIt ? (EvaluationPeriods + 1) * Math.max(...stats.map(({ Period }) => Period)) * 1000 : Infinity;
    });
  return Math.min(...waits);
}
