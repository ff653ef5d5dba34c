import { createRequire } from 'node:module';
import process from 'node:process';

/** The loaded code of a function; `exports` is the module as the bundle wrote it. */
type Exports = Readonly<Record<string, unknown>>;

/** What is sent back for an invocation: the payload, or the error as Lambda describes it. */
export type BootstrapMessage =
  | { readonly payload: unknown }
  | {
      readonly error: { readonly errorType: string; readonly errorMessage: string; readonly trace: readonly string[] };
    };

/**
 * Runs in a process of its own for each invocation: `bootstrap.ts <module> <export>`. The event comes in the
 * first message of the parent, the answer goes back as the only one.
 */
const [, , file = '', exported = ''] = process.argv;

// The parent is gone: nobody waits for the answer any more.
process.on('disconnect', () => process.exit());

process.once('message', (message: { readonly event: unknown }) => {
  void invoke(message.event).then((answer) => process.send?.(answer, () => process.exit()));
});

async function invoke(event: unknown): Promise<BootstrapMessage> {
  try {
    const handler = (createRequire(import.meta.url)(file) as Exports)[exported];
    if (typeof handler !== 'function') {
      throw new TypeError(`${exported} of ${file} is not a function.`);
    }
    const payload: unknown = await Reflect.apply(handler, undefined, [event, {}]);
    return { payload: payload ?? null };
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    return {
      error: { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') },
    };
  }
}
