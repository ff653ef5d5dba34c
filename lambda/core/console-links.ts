import { parse } from '@aws-sdk/util-arn-parser';
import { CONSOLE_HOSTS } from '../../contract.ts';

const HOSTS: Readonly<Record<string, string>> = CONSOLE_HOSTS;

/** Address of an execution in the console. */
export function executionLink(executionArn: string): string {
  return consoleLink(executionArn, (region) => `states/home?region=${region}#/v2/executions/details/${executionArn}`);
}

/**
 * Address of a log stream in the console, which encodes names twice, and replaces the percent sign of the second
 * encoding by a dollar sign.
 *
 * @param arn of anything in the same Region
 */
export function logStreamLink(arn: string, group: string, stream: string): string {
  const encode = (name: string): string => encodeURIComponent(encodeURIComponent(name)).replaceAll('%', '$');
  const path = `log-group/${encode(group)}/log-events/${encode(stream)}`;
  return consoleLink(arn, (region) => `cloudwatch/home?region=${region}#logsV2:log-groups/${path}`);
}

function consoleLink(arn: string, path: (region: string) => string): string {
  const { partition, region } = parse(arn);
  return `https://${region}.${HOSTS[partition] ?? CONSOLE_HOSTS.aws}/${path(region)}`;
}
