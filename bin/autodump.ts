import { App } from 'aws-cdk-lib';
import { AutoDumpStack } from '../lib/autodump-stack.ts';
import { InvalidContext, readContext } from '../lib/context.ts';

const app = new App();
const context = app.node.getAllContext() as Record<string, unknown>;
try {
  new AutoDumpStack(app, 'AutoDump', { context: readContext(context) });
} catch (error) {
  if (!(error instanceof InvalidContext)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
