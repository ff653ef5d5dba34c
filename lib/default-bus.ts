import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { EVENT_SOURCE } from '../contract.ts';

/** Lets a function put AutoDump's own events on the default event bus. */
export function grantPutOwnEvents(fn: lambda.Function): void {
  allowPut(fn, 'PutOwnEvents', EVENT_SOURCE);
}

/**
 * The default event bus as a destination. Unlike CDK's own class it grants only what sending needs: Lambda sends the
 * event with the function's role, and its own source.
 */
export function busDestination(): lambda.IDestination {
  return {
    bind: (_, fn) => {
      allowPut(fn, 'PutFailed', 'lambda');
      return { destination: arnOfDefaultBus(fn) };
    },
  };
}

function allowPut(fn: lambda.IFunction, sid: string, source: string): void {
  fn.grantPrincipal.addToPrincipalPolicy(
    new iam.PolicyStatement({
      sid,
      actions: ['events:PutEvents'],
      resources: [arnOfDefaultBus(fn)],
      // A request may carry events of several sources.
      conditions: { 'ForAllValues:StringEquals': { 'events:source': source } },
    }),
  );
}

function arnOfDefaultBus(scope: lambda.IFunction): string {
  return Stack.of(scope).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' });
}
