import { createRequire } from 'node:module';
import process from 'node:process';

/** Exports of a function's bundle, by name. */
type Exports = Readonly<Record<string, unknown>>;

/** Response to an invocation: the payload, or the error in the format of Lambda. */
export type BootstrapMessage =
  | { readonly payload: unknown }
  | {
      readonly error: { readonly errorType: string; readonly errorMessage: string; readonly trace: readonly string[] };
    };

/**
 * Entry point of the process that handles invocations: `bootstrap.ts <module> <export>`. The parent sends an event in a
 * message, and the next one after the response, which is the only message sent back.
 */
const [, , file = '', exported = ''] = process.argv;

// The parent has exited, or sends no more events.
process.on('disconnect', () => process.exit());

process.on('message', (message: { readonly event: unknown }) => {
  void invoke(message.event).then((response) => process.send?.(response));
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
