import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { z } from 'zod';

type States = StateMachineDefinition['States'];
type State = States[string];
export type TaskState = Extract<State, { Type: 'Task' }>;
export type WaitState = Extract<State, { Type: 'Wait' }>;

/** The parts that this module relies on. The tests of the stack validate the rest. */
const shapeSchema = z.object({ States: z.record(z.string(), z.looseObject({ Type: z.string() })) });

const definitionSchema = z.custom<StateMachineDefinition>(
  (value) => shapeSchema.safeParse(value).success,
  'Not the definition of a state machine.',
);

/** @throws {Error} if the text is not the JSON of a state machine's definition */
export function parseDefinition(json: string): StateMachineDefinition {
  return definitionSchema.parse(JSON.parse(json));
}

/** All states of a definition by name, including those in parallel branches. Names are unique in the whole machine. */
export function allStates({ States }: Pick<StateMachineDefinition, 'States'>): ReadonlyMap<string, State> {
  return new Map(
    Object.entries(States).flatMap(([name, state]) => [
      [name, state] as const,
      ...(state.Type === 'Parallel' ? state.Branches.flatMap((branch) => [...allStates(branch)]) : []),
    ]),
  );
}

/**
 * Rewrites a definition so that `aws-local-stepfunctions` 3.0.0 runs it as AWS runs the original. The interpreter
 *
 * - cannot end a wait early, and skips waits of more than 24.8 days: waits become tasks;
 * - does not evaluate intrinsic functions in `CausePath`: a Pass state inserted before evaluates them;
 * - times out tasks without a timeout after a minute: they get the longest possible timeout.
 */
export function runnable<Machine extends Pick<StateMachineDefinition, 'States'>>(machine: Machine): Machine {
  const states = Object.entries(machine.States).flatMap(([name, state]): [string, State][] => {
    if (state.Type === 'Wait') {
      return [[name, waitAsTask(name, state)]];
    }
    if (state.Type === 'Fail' && state.CausePath?.startsWith('States.')) {
      return failWithCause(name, state);
    }
    if (state.Type === 'Task') {
      return [[name, { TimeoutSeconds: LONGEST_TIMEOUT_SECONDS, ...state }]];
    }
    if (state.Type === 'Parallel') {
      return [[name, { ...state, Branches: state.Branches.map(runnable) }]];
    }
    return [[name, state]];
  });
  return { ...machine, States: Object.fromEntries(states) };
}

/** The longest delay of a Node.js timer. */
const LONGEST_TIMEOUT_SECONDS = 2_147_483;

function waitAsTask(name: string, state: WaitState): State {
  const { Comment, InputPath, OutputPath } = state;
  return {
    Type: 'Task',
    Resource: `arn:aws:states:::wait:${name.replaceAll(/\W/g, '-')}`,
    TimeoutSeconds: LONGEST_TIMEOUT_SECONDS,
    Comment,
    InputPath,
    OutputPath,
    ...('Next' in state ? { Next: state.Next } : { End: true }),
  };
}

function failWithCause(name: string, state: Extract<State, { Type: 'Fail' }>): [string, State][] {
  const fail = `${name}, cause evaluated`;
  return [
    [name, { Type: 'Pass', Parameters: { 'cause.$': state.CausePath ?? '' }, Next: fail }],
    [fail, { ...state, CausePath: '$.cause' }],
  ];
}
