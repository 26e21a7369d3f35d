// Emptying buckets, since CloudFormation deletes only empty ones.

import { DeleteObjectsCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';

import { DeployError } from './model.js';

/** Delete every object, version and delete marker. Gives how many; 0 where the bucket is gone already. */
export async function emptyBucket(s3, bucket) {
  let count = 0;
  for (;;) {
    let page;
    try {
      page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    } catch (error) {
      if (error.name === 'NoSuchBucket') return count;
      throw error;
    }
    const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (!Objects.length) return count;
    // What is deleted leaves the list, so the next first page is what remains.
    const answer = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    const [failed] = answer.Errors ?? [];
    if (failed) {
      throw new DeployError(`${bucket}/${failed.Key} cannot be deleted (${failed.Code}): the stack is still whole; fix that and run remove again`);
    }
    count += Objects.length;
  }
}
