import { App } from 'aws-cdk-lib';
import { AutoDumpStack } from '../lib/autodump-stack.ts';
import { InvalidContext, readContext } from '../lib/context.ts';

const app = new App();
try {
  new AutoDumpStack(app, 'AutoDump', { context: readContext(app.node.getAllContext()) });
} catch (error) {
  if (!(error instanceof InvalidContext)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
