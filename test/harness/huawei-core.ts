// The vendor's Node core, unmodified but for the endpoint: its generic client signs and sends any operation.

import assert from 'node:assert/strict'
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js'
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js'
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js'
import { ClientRequestException } from '@huaweicloud/huaweicloud-sdk-core/exception/ClientRequestException.js'
import { at } from './api.ts'
import type { World } from './world.ts'

/** Sends to `/v1/{project_id}` and what is behind it. */
export type Send = (
  method: string,
  url: string,
  more?: {
    readonly path?: Record<string, string>
    readonly query?: Record<string, string | number>
    readonly data?: Record<string, unknown>
  },
) => Promise<unknown>

export function senderOf(
  w: Pick<World, 'url' | 'credentials'>,
  secret = w.credentials['HUAWEICLOUD_SDK_SK'] ?? '',
  header: 'project header' | 'no project header' = 'project header',
): Send {
  const project = w.credentials['HUAWEICLOUD_PROJECT_ID'] ?? ''
  const credentials = new BasicCredentials()
    .withAk(w.credentials['HUAWEICLOUD_SDK_AK'] ?? '')
    .withSk(secret)
  if (header === 'project header') credentials.withProjectId(project)
  const client = new ClientBuilder<HcClient>((one) => one)
    .withCredential(credentials)
    .withEndpoint(w.url)
    .build()
  return (method, url, { path = {}, query = {}, data } = {}) =>
    client.sendRequest({
      method,
      url: `/v1/{project_id}${url}`,
      contentType: 'application/json',
      queryParams: query,
      pathParams: { project_id: project, ...path },
      headers: {},
      ...(data === undefined ? {} : { data }),
    })
}

/** The client throws what is not 2xx; its exception has the code, the text and the request id. */
export async function refused(
  sending: Promise<unknown>,
  status: number,
  code: string,
): Promise<void> {
  await assert.rejects(sending, (thrown) => {
    assert.ok(thrown instanceof ClientRequestException, String(thrown))
    assert.equal(thrown.httpStatusCode, status)
    assert.equal(thrown.errorCode, code)
    assert.notEqual(thrown.errorMsg ?? '', '')
    assert.match(thrown.requestId ?? '', /^[0-9a-f]{32}$/)
    return true
  })
}

export const accepted = (reply: unknown): void => assert.equal(at(reply, 'httpStatusCode'), 200)

/** The status of a refusal, for waiting until there is one. */
export const statusOf = (sending: Promise<unknown>): Promise<unknown> =>
  sending.then(
    () => 'there',
    (thrown: unknown) => at(thrown, 'httpStatusCode'),
  )
