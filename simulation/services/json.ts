import type { StateMachine } from 'aws-local-stepfunctions';

/** A value of JSON, as the interpreter of state machines has it. */
export type Json = Parameters<StateMachine['run']>[0];
