import { describe, expect, test } from '@jest/globals';
import { entrypointOf } from '../../../../local/services/batch/batch.ts';
import type { Happening } from '../../../../local/services/trace.ts';
import type { Resources } from '../../support/cdk-out.ts';
import { stage } from '../../support/mini-world.ts';

describe('entrypointOf', () => {
  test('reads the last one, in its JSON form', () => {
    const dockerfile = 'FROM x\nENTRYPOINT ["old"]\n# ENTRYPOINT ["no"]\nentrypoint ["node", "a b.js"]\n';
    expect(entrypointOf(dockerfile)).toEqual(['node', 'a b.js']);
  });

  test('refuses an image without one', () => {
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

  function said(happenings: readonly Happening[]): string[] {
    return happenings.flatMap((it) => (it.kind === 'job said' ? [`${it.stream}: ${it.line}`] : []));
  }

  test('runs with the command, environment and volumes of the template', async () => {
    const program = `
      const { TMPDIR, DEEP, OTHER, OWN } = process.env;
      require('fs').writeFileSync(TMPDIR + '/file', 'x');
      console.log(process.argv[2], OTHER, OWN, DEEP === TMPDIR + '/deep', TMPDIR.endsWith('/space'));
    `;
    const { world, start, happenings } = await stage(BATCH, image(program));
    await start('name', { own: 'mine' });
    expect(await world.executions[0]?.ended).toMatchObject({
      status: 'SUCCEEDED',
      output: { JobName: 'name', Status: 'SUCCEEDED', Container: { ExitCode: 0 } },
    });
    expect(said(happenings)).toEqual(['stdout: work /scratchy mine true true']);
  });

  test('is tried again as its rules say, and its failure tells status and log', async () => {
    const program = `
      const attempt = Number(process.env.AWS_BATCH_JOB_ATTEMPT);
      console.error('attempt', attempt);
      process.exit(attempt < 2 ? 75 : 9);
    `;
    const { world, start, happenings } = await stage(BATCH, image(program));
    await start('name', { own: '' });
    const end = await world.executions[0]?.ended;
    expect(said(happenings)).toEqual(['stderr: attempt 1', 'stderr: attempt 2']);
    expect(end).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed' });
    const job: unknown = JSON.parse(end?.status === 'FAILED' ? end.cause : '');
    expect(job).toMatchObject({
      Status: 'FAILED',
      StatusReason: 'Essential container in task exited',
      Container: { ExitCode: 9, LogStreamName: expect.stringMatching(/^job\/default\//) },
      Attempts: [{ Container: { ExitCode: 75 } }, { Container: { ExitCode: 9 } }],
    });
  });

  test('is ended with its execution, and not tried again', async () => {
    const program = `
      process.on('SIGTERM', () => process.exit(75));
      console.log('up');
      setInterval(() => {}, 1000);
    `;
    const { world, start, stop, first, happenings } = await stage(BATCH, image(program));
    const { executionArn = '' } = await start('name', { own: '' });
    await first('job said');
    await stop(executionArn);
    await first('job ended');
    expect(await world.executions[0]?.ended).toEqual({ status: 'ABORTED' });
    expect(happenings.filter(({ kind }) => kind === 'job started')).toHaveLength(1);
    expect(happenings).toContainEqual(expect.objectContaining({ kind: 'job ended', tryAgain: false }));
  });

  test('is ended with the world, and all that it started', async () => {
    const program = `
      const forever = 'console.log("up"); setInterval(() => {}, 1000);';
      require('child_process').spawn(process.execPath, ['-e', forever], { stdio: 'inherit' });
      setInterval(() => {}, 1000);
    `;
    const { world, start, first } = await stage(BATCH, image(program));
    await start('name', { own: '' });
    await first('job said');
    // Comes only when nobody holds the job's standard output any more.
    await world.stop();
    expect(await world.executions[0]?.ended).toEqual({ status: 'ABORTED' });
  });
});
