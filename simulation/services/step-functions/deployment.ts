import { createRequire } from 'node:module';
import type { StateMachine } from 'aws-local-stepfunctions';
import { allStates, parseDefinition, runnable } from '../../../local/assembly/state-machine.ts';
import type { Clock } from '../../runtime/clock.ts';
import { SandboxedModule, virtualGlobals } from '../../runtime/sandbox.ts';
import type { Handle, Steps } from './steps.ts';

/** Seconds. An execution lasts a year at most. */
const LONGEST_WAIT = 366 * 24 * 60 * 60;

/** The interpreter of state machines, on the virtual clock. */
interface Interpreter {
  readonly StateMachine: typeof StateMachine;
}

/** The definition that executions are started with and keep. */
export interface Deployment {
  readonly machine: StateMachine;
  readonly handlers: readonly (readonly [name: string, handle: Handle])[];
}

export function loadInterpreter(clock: Clock, random: () => number): Interpreter {
  const file = createRequire(import.meta.url).resolve('aws-local-stepfunctions');
  const module = SandboxedModule.of(file, ['Date', 'setTimeout', 'clearTimeout', 'Math']);
  return module.load({ ...virtualGlobals(clock, random) }) as Interpreter;
}

/**
 * Deploys a definition. Each deployment changes it: the name of an additional first state, and any reference to the
 * job's revision.
 */
export function deploy(interpreter: Interpreter, text: string, revision: number, steps: Steps): Deployment {
  // A template that refers to a revision of the job refers to the current one.
  const written = parseDefinition(text.replaceAll(/(job-definition\/[\w-]+):1\b/g, `$1:${revision}`));
  const first = `Revision ${revision}`;
  const definition = {
    ...written,
    StartAt: first,
    States: { ...written.States, [first]: { Type: 'Pass', Next: written.StartAt } },
  } as const;
  const handlers = [...allStates(definition)].flatMap(([name, state]): [string, Handle][] => {
    if (state.Type === 'Wait') {
      return [[name, steps.wait(state)]];
    }
    return state.Type === 'Task' ? [[name, steps.task(name, state)]] : [];
  });
  const machine = runnable(definition);
  for (const [name, state] of allStates(machine)) {
    // `runnable` turns Wait states into tasks, whose default timeout is the longest real timer.
    if (state.Type === 'Task' && allStates(definition).get(name)?.Type === 'Wait') {
      state.TimeoutSeconds = LONGEST_WAIT;
    }
  }
  return { handlers, machine: new interpreter.StateMachine(machine, { validationOptions: { noValidate: true } }) };
}
