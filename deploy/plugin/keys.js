// The table of keys, which outlives its stack unless it is told otherwise: losing it would lock every caller out.

import { DeleteTableCommand, ScanCommand, waitUntilTableNotExists } from '@aws-sdk/client-dynamodb';

import { DeployError } from './model.js';

/**
 * A table of the stack's name must be free, or the stack's own already. An empty one, as a first deploy that failed leaves
 * it, is deleted. Gives whether it was.
 */
export async function checkTable(dynamo, TableName, owned) {
  if (owned) return false;
  let found;
  try {
    found = await dynamo.send(new ScanCommand({ TableName, Limit: 1, ConsistentRead: true }));
  } catch (error) {
    // not allowed to look: CloudFormation will say so if it matters
    if (['ResourceNotFoundException', 'AccessDeniedException'].includes(error.name)) return false;
    throw error;
  }
  if (!found.Items?.length && !found.LastEvaluatedKey) {
    await deleteTable(dynamo, TableName);
    await waitUntilTableNotExists({ client: dynamo, maxWaitTime: 120, minDelay: 1, maxDelay: 5 }, { TableName });
    return true;
  }
  throw new DeployError(
    `the table of keys ${TableName} is there, outside of this stack: it was kept when an earlier one was deleted. Import it into the stack ` +
      `(aws cloudformation create-change-set --change-set-type IMPORT), or delete it with all keys in it: aws dynamodb delete-table --table-name ${TableName}`,
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
