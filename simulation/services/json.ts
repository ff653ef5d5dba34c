import type { StateMachine } from 'aws-local-stepfunctions';

/** A JSON value, as typed by the interpreter of state machines. */
export type Json = Parameters<StateMachine['run']>[0];
