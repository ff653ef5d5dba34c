import { basename } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { Template } from '../../../local/assembly/template.ts';
import { tempFolders } from '../../support/temp-folder.ts';
import { type Resources, writeCdkOut } from '../support/cdk-out.ts';

const folder = tempFolders();

function template(resources: Resources): Template {
  const cdkOut = folder();
  writeCdkOut(cdkOut, resources, { abc: { 'index.js': '' } });
  return new Template(cdkOut);
}

const RESOURCES: Resources = {
  Fn: { Type: 'AWS::Lambda::Function' },
  Named: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: { 'Fn::Sub': '${AWS::StackName}-f' } } },
  Bucket: { Type: 'AWS::S3::Bucket' },
  Machine: { Type: 'AWS::StepFunctions::StateMachine' },
  Queue: { Type: 'AWS::Batch::JobQueue' },
  Unknown: { Type: 'AWS::Unknown::Thing' },
};

describe('resolve', () => {
  test.each<[object, unknown]>([
    [{ Ref: 'AWS::Region' }, 'us-west-2'],
    [{ Ref: 'Fn' }, 'Mini-Fn'],
    [{ Ref: 'Bucket' }, 'mini-bucket'],
    [{ Ref: 'Machine' }, 'arn:aws:states:us-west-2:123456789012:stateMachine:Mini-Machine'],
    [{ 'Fn::GetAtt': ['Fn', 'Arn'] }, 'arn:aws:lambda:us-west-2:123456789012:function:Mini-Fn'],
    [{ 'Fn::GetAtt': 'Named.Arn' }, 'arn:aws:lambda:us-west-2:123456789012:function:Mini-f'],
    [{ 'Fn::GetAtt': ['Queue', 'JobQueueArn'] }, 'arn:aws:batch:us-west-2:123456789012:job-queue/Mini-Queue'],
    [{ 'Fn::Join': ['-', ['a', { Ref: 'AWS::AccountId' }]] }, 'a-123456789012'],
    [
      { 'Fn::Sub': '${AWS::Partition}/${Fn}/${Fn.Arn}/${!Kept}' },
      'aws/Mini-Fn/arn:aws:lambda:us-west-2:123456789012:function:Mini-Fn/${Kept}',
    ],
    [{ 'Fn::Sub': ['${It}', { It: { Ref: 'Fn' } }] }, 'Mini-Fn'],
    [{ 'Fn::Select': ['1', { 'Fn::Split': [',', 'a,b'] }] }, 'b'],
    [
      { deep: [{ Ref: 'Fn' }], plain: 1 },
      { deep: ['Mini-Fn'], plain: 1 },
    ],
  ])('%j to %j', (value, expected) => {
    expect(template(RESOURCES).resolve(value)).toEqual(expected);
  });

  test.each([
    [{ 'Fn::If': ['a', 'b', 'c'] }, 'Fn::If'],
    [{ Ref: 'Nothing' }, 'Nothing'],
    [{ Ref: 'Unknown' }, 'AWS::Unknown::Thing'],
    [{ 'Fn::GetAtt': ['Fn', 'Version'] }, 'Version'],
  ])('rejects %j, naming what is not supported', (value, name) => {
    expect(() => template(RESOURCES).resolve(value)).toThrow(name);
  });
});

describe('a template', () => {
  test('finds the folder of an asset by its object key or image', () => {
    const parsed = template(RESOURCES);
    expect(basename(parsed.fileAsset('abc.zip'))).toBe('asset.abc');
    expect(basename(parsed.imageAsset('123456789012.dkr.ecr.us-west-2.amazonaws.com/r:abc'))).toBe('asset.abc');
    expect(() => parsed.fileAsset('other.zip')).toThrow('other.zip is not an asset');
  });

  test('names the resource whose properties are not supported', () => {
    const parsed = template({ Fn: { Type: 'AWS::Lambda::Function', Properties: { Handler: 1 } } });
    const [resource] = parsed.ofType('AWS::Lambda::Function');
    expect(() => resource && parsed.properties(resource, z.object({ Handler: z.string() }))).toThrow(
      /does not support these properties of Fn \(AWS::Lambda::Function\).*expected string/s,
    );
  });
});
