// The table of keys, which outlives its stack unless it is told otherwise: losing it would lock every caller out.

import { DeleteTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';

import { DeployError } from './model.js';

/** A table of the stack's name must be free, or the stack's own already. */
export async function checkTable(dynamo, TableName, owned) {
  if (owned) return;
  try {
    await dynamo.send(new DescribeTableCommand({ TableName }));
  } catch (error) {
    if (error.name === 'ResourceNotFoundException') return;
    throw error;
  }
  throw new DeployError(
    `the table of keys ${TableName} is there, outside of this stack: it was kept when an earlier one was deleted. Import it into the stack ` +
      `(aws cloudformation create-change-set --change-set-type IMPORT), or delete it with its keys: aws dynamodb delete-table --table-name ${TableName}`,
  );
}

/** Delete it with all keys. Gives whether it was there. */
export async function deleteTable(dynamo, TableName) {
  try {
    await dynamo.send(new DeleteTableCommand({ TableName }));
  } catch (error) {
    if (error.name === 'ResourceNotFoundException') return false;
    throw error;
  }
  return true;
}
