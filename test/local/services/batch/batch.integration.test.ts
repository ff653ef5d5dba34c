import { describe, expect, test } from '@jest/globals';
import { entrypointOf } from '../../../../local/services/batch/container.ts';
import type { TraceEvent } from '../../../../local/services/trace.ts';
import type { Resources } from '../../support/cdk-out.ts';
import { stage } from '../../support/mini-world.ts';

describe('entrypointOf', () => {
  test('returns the last ENTRYPOINT in JSON form', () => {
    const dockerfile = 'FROM x\nENTRYPOINT ["old"]\n# ENTRYPOINT ["no"]\nentrypoint ["node", "a b.js"]\n';
    expect(entrypointOf(dockerfile)).toEqual(['node', 'a b.js']);
  });

  test('rejects a Dockerfile without one', () => {
    expect(() => entrypointOf('FROM x\nENTRYPOINT node x.js\n')).toThrow('no ENTRYPOINT');
  });
});

describe('a job', () => {
  const BATCH: Resources = {
    Queue: { Type: 'AWS::Batch::JobQueue' },
    Job: {
      Type: 'AWS::Batch::JobDefinition',
      Properties: {
        JobDefinitionName: 'mini-job',
        ContainerProperties: {
          Command: ['work'],
          Environment: [
            { Name: 'TMPDIR', Value: '/scratch' },
            { Name: 'DEEP', Value: '/scratch/deep' },
            { Name: 'OTHER', Value: '/scratchy' },
          ],
          ExecutionRoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
          Image: { 'Fn::Sub': '${AWS::AccountId}.dkr.ecr/r:image' },
          JobRoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
          MountPoints: [{ ContainerPath: '/scratch', SourceVolume: 'space' }],
        },
        RetryStrategy: {
          Attempts: 3,
          EvaluateOnExit: [
            { Action: 'RETRY', OnExitCode: '75' },
            { Action: 'EXIT', OnReason: '*' },
          ],
        },
      },
    },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        DefinitionString: {
          'Fn::Join': [
            '',
            [
              '{"StartAt":"Run","States":{"Run":{"Type":"Task","Resource":"arn:aws:states:::batch:submitJob.sync","Parameters":{"JobName.$":"$$.Execution.Name","JobDefinition":"mini-job","JobQueue":"',
              { Ref: 'Queue' },
              '","ContainerOverrides":{"Environment":[{"Name":"OWN","Value.$":"$.own"}]}},"End":true}}}',
            ],
          ],
        },
      },
    },
  };

  function image(program: string) {
    return { image: { Dockerfile: 'FROM x\nENTRYPOINT ["node", "program.js"]\n', 'program.js': program } };
  }

  function output(events: readonly TraceEvent[]): string[] {
    return events.flatMap((event) => (event.kind === 'job output' ? [`${event.stream}: ${event.line}`] : []));
  }

  test('runs with the command, environment and volumes of its definition', async () => {
    const program = `
      const { TMPDIR, DEEP, OTHER, OWN } = process.env;
      require('fs').writeFileSync(TMPDIR + '/file', 'x');
      const output = [process.argv[2], OTHER, OWN, DEEP === TMPDIR + '/deep', TMPDIR.endsWith('/space')];
      process.stdout.write(output.join(' ') + '\\n');
    `;
    const { world, start, events } = await stage(BATCH, image(program));
    await start('name', { own: 'mine' });
    expect(await world.executions[0]?.ended).toMatchObject({
      status: 'SUCCEEDED',
      output: { JobName: 'name', Status: 'SUCCEEDED', Container: { ExitCode: 0 } },
    });
    expect(output(events)).toEqual(['stdout: work /scratchy mine true true']);
  });

  test('is retried according to its retry strategy, on a fresh disk, and reports its status and log if it fails', async () => {
    const program = `
      const attempt = Number(process.env.AWS_BATCH_JOB_ATTEMPT);
      console.error('attempt', attempt, require('fs').readdirSync(process.env.TMPDIR + '/../..').length);
      process.exit(attempt < 2 ? 75 : 9);
    `;
    const { world, start, events } = await stage(BATCH, image(program));
    await start('name', { own: '' });
    const end = await world.executions[0]?.ended;
    expect(output(events)).toEqual(['stderr: attempt 1 1', 'stderr: attempt 2 1']);
    expect(end).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed' });
    const job: unknown = JSON.parse(end?.status === 'FAILED' ? end.cause : '');
    expect(job).toMatchObject({
      Status: 'FAILED',
      StatusReason: 'Essential container in task exited',
      Container: { ExitCode: 9, LogStreamName: expect.stringMatching(/^job\/default\//) },
      Attempts: [{ Container: { ExitCode: 75 } }, { Container: { ExitCode: 9 } }],
    });
  });

  test('is terminated with its execution, and not retried', async () => {
    const program = `
      process.on('SIGTERM', () => process.exit(75));
      process.stdout.write('up\\n');
      setInterval(() => {}, 1000);
    `;
    const { world, start, stop, first, events } = await stage(BATCH, image(program));
    const { executionArn = '' } = await start('name', { own: '' });
    await first('job output');
    await stop(executionArn);
    await first('job ended');
    expect(await world.executions[0]?.ended).toEqual({ status: 'ABORTED' });
    expect(events.filter(({ kind }) => kind === 'job started')).toHaveLength(1);
    expect(events).toContainEqual(expect.objectContaining({ kind: 'job ended', retried: false }));
  });

  test('is terminated with the world, as are the processes that it started', async () => {
    const program = `
      const forever = 'process.stdout.write("up\\\\n"); setInterval(() => {}, 1000);';
      require('child_process').spawn(process.execPath, ['-e', forever], { stdio: 'inherit' });
      setInterval(() => {}, 1000);
    `;
    const { world, start, first } = await stage(BATCH, image(program));
    await start('name', { own: '' });
    await first('job output');
    // Resolves only when no process holds the job's standard output.
    await world.stop();
    expect(await world.executions[0]?.ended).toEqual({ status: 'ABORTED' });
  });
});
