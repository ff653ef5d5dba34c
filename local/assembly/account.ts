/** The account, Region and partition that the local run pretends to be in: made up, but well-formed. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-west-2';
export const PARTITION = 'aws';
export const URL_SUFFIX = 'amazonaws.com';
