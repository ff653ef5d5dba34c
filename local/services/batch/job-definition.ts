import { z } from 'zod';
import { retryStrategySchema } from './retry-strategy.ts';

const DEFAULT_LOG_GROUP = '/aws/batch/job';

export const environmentSchema = z.array(z.object({ Name: z.string(), Value: z.string() }));

export const jobDefinitionSchema = z.object({
  ContainerProperties: z.object({
    Command: z.array(z.string()).default([]),
    Environment: environmentSchema.default([]),
    ExecutionRoleArn: z.string(),
    Image: z.string(),
    JobRoleArn: z.string(),
    LogConfiguration: z
      .object({
        Options: z.object({
          'awslogs-group': z.string().default(DEFAULT_LOG_GROUP),
          'awslogs-stream-prefix': z.string().default('job'),
        }),
      })
      .default({ Options: { 'awslogs-group': DEFAULT_LOG_GROUP, 'awslogs-stream-prefix': 'job' } }),
    MountPoints: z.array(z.object({ ContainerPath: z.string(), SourceVolume: z.string() })).default([]),
  }),
  RetryStrategy: retryStrategySchema,
  Timeout: z.object({ AttemptDurationSeconds: z.number() }).optional(),
});

export type JobDefinition = z.infer<typeof jobDefinitionSchema>;
