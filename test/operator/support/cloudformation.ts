import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen, type Loopback } from '../../../local/host/loopback.ts';

/** A resource of a deployed stack. */
export interface StackResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status?: string;
}

export interface DeployedStack {
  readonly resources?: readonly StackResource[];
  readonly template?: string;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly status?: string;
}

/**
 * Serves DescribeStacks, ListStackResources and GetTemplate for one stack, in the AWS Query protocol. Each page lists
 * five resources. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
 */
export async function serveStack(
  stackName: string,
  { resources = [], template = '{}', outputs = {}, status = 'CREATE_COMPLETE' }: DeployedStack,
): Promise<Loopback> {
  return await listen(
    createServer((request, response) => {
      void text(request).then((body) => {
        const parameters = new URLSearchParams(body);
        const action = String(parameters.get('Action'));
        const send = (status: number, xml: string): void => {
          response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
        };
        if (parameters.get('StackName') !== stackName) {
          send(400, error('ValidationError', `Stack with id ${String(parameters.get('StackName'))} does not exist`));
        } else if (action === 'DescribeStacks') {
          send(200, result(action, described(stackName, status, outputs)));
        } else if (action === 'ListStackResources') {
          send(200, result(action, page(resources, Number(parameters.get('NextToken') ?? 0))));
        } else if (action === 'GetTemplate') {
          send(200, result(action, `<TemplateBody>${escape(template)}</TemplateBody>`));
        } else {
          send(400, error('InvalidAction', `${action} is not served here.`));
        }
      });
    }),
  );
}

function described(stackName: string, status: string, outputs: Readonly<Record<string, string>>): string {
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${escape(value)}</OutputValue></member>`,
  );
  return (
    `<Stacks><member><StackName>${stackName}</StackName><StackStatus>${status}</StackStatus>` +
    `<Outputs>${members.join('')}</Outputs></member></Stacks>`
  );
}

const PAGE = 5;

function page(resources: readonly StackResource[], start: number): string {
  const members = resources
    .slice(start, start + PAGE)
    .map(
      ({ logicalId, physicalId, type, status = 'CREATE_COMPLETE' }) =>
        `<member><LogicalResourceId>${logicalId}</LogicalResourceId>` +
        `<PhysicalResourceId>${escape(physicalId)}</PhysicalResourceId><ResourceType>${type}</ResourceType>` +
        `<ResourceStatus>${status}</ResourceStatus></member>`,
    );
  const next = start + PAGE < resources.length ? `<NextToken>${start + PAGE}</NextToken>` : '';
  return `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>${next}`;
}

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';

function result(action: string, content: string): string {
  return `<${action}Response xmlns="${NAMESPACE}"><${action}Result>${content}</${action}Result></${action}Response>`;
}

function error(code: string, message: string): string {
  return `<ErrorResponse xmlns="${NAMESPACE}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
}

function escape(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
