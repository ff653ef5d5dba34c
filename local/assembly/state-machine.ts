import type { StateMachineDefinition } from 'aws-local-stepfunctions';

type States = StateMachineDefinition['States'];
type State = States[string];
export type TaskState = Extract<State, { Type: 'Task' }>;
export type WaitState = Extract<State, { Type: 'Wait' }>;

/** States of a definition, those within parallel branches included, by name. Names are unique in the whole machine. */
export function allStates({ States }: Pick<StateMachineDefinition, 'States'>): ReadonlyMap<string, State> {
  return new Map(
    Object.entries(States).flatMap(([name, state]) => [
      [name, state] as const,
      ...(state.Type === 'Parallel' ? state.Branches.flatMap((branch) => [...allStates(branch)]) : []),
    ]),
  );
}

/**
 * The definition in a form that `aws-local-stepfunctions` 3.0.0 runs as AWS runs the original. It can't
 *
 * - end a wait before its time, and takes one of more than 24.8 days for none: waits become tasks;
 * - evaluate intrinsic functions in `CausePath`: they move to a Pass state in front;
 * - let a task without a timeout run for more than a minute: it gets the longest one that there is.
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

/** A timer can't run for longer. */
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
