/** The context of the README's example. */
export const CONTEXT = {
  vpcId: 'vpc-0a5fd51718cbc523a',
  privateSubnetIds: 'subnet-08b42fcaa8530abaf,subnet-017d971130aaa412a',
  availabilityZones: 'us-west-2a,us-west-2b',
};
