// Every action that is served: what it is called, who may, what carries it out, where that is written down.
// The route is one; this is the table that it leads to.

import type { CallerRequest } from '#kernel/request.ts'
import type { Call, Outcome } from './call.ts'
import {
  describeImages,
  describeInstanceTypes,
  describeRegions,
  describeZones,
} from './describe-catalogue.ts'
import { describeInstances } from './describe-instances.ts'
import { listTags } from './list-tags.ts'
import { describeUserData, modifyInstance } from './modify-instance.ts'
import { powerMany, powerOne } from './power.ts'
import { runInstances } from './run-instances.ts'
import { changeTags, changeTagsEach } from './tags.ts'

export interface Action {
  /** The request that a caller must be allowed to make; `read`: whoever is somebody in the account. */
  readonly needs: CallerRequest['verb'] | 'read'
  readonly run: (call: Call) => Promise<Outcome>
  readonly source: string
}

const section = (number: string): string => `contracts/volcengine-ecs.md section ${number}`

export const apiVersion = '2020-04-01'

export const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['StopInstance', { needs: 'stop', run: powerOne('stop'), source: section('6') }],
  ['StartInstance', { needs: 'start', run: powerOne('start'), source: section('7.1') }],
  ['RebootInstance', { needs: 'restart', run: powerOne('restart'), source: section('7.2') }],
  ['DeleteInstance', { needs: 'delete', run: powerOne('delete'), source: section('7.3') }],
  ['StopInstances', { needs: 'stop', run: powerMany('stop'), source: section('7.4') }],
  ['StartInstances', { needs: 'start', run: powerMany('start'), source: section('7.4') }],
  ['RebootInstances', { needs: 'restart', run: powerMany('restart'), source: section('7.4') }],
  ['DeleteInstances', { needs: 'delete', run: powerMany('delete'), source: section('7.4') }],
  ['DescribeInstances', { needs: 'read', run: describeInstances, source: section('7.5') }],
  ['DescribeRegions', { needs: 'read', run: describeRegions, source: section('7.6') }],
  ['DescribeZones', { needs: 'read', run: describeZones, source: section('7.6') }],
  ['DescribeInstanceTypes', { needs: 'read', run: describeInstanceTypes, source: section('7.6') }],
  [
    'DescribeImages',
    { needs: 'read', run: describeImages, source: 'vendor SDK model DescribeImagesResponse' },
  ],
  ['DescribeUserData', { needs: 'read', run: describeUserData, source: section('7.10') }],
  ['ModifyInstanceAttribute', { needs: 'update', run: modifyInstance, source: section('7.8') }],
  ['TagResources', { needs: 'update', run: changeTags('set'), source: section('7.9') }],
  ['UntagResources', { needs: 'update', run: changeTags('unset'), source: section('7.9') }],
  ['ListTagsForResources', { needs: 'read', run: listTags, source: section('7.9') }],
  ['CreateTags', { needs: 'update', run: changeTagsEach('set'), source: section('7.9') }],
  ['DeleteTags', { needs: 'update', run: changeTagsEach('unset'), source: section('7.9') }],
  ['DescribeTags', { needs: 'read', run: listTags, source: section('7.9') }],
  ['RunInstances', { needs: 'create', run: runInstances, source: section('7.7') }],
])

/** What the contract names and is not served: `InvalidActionOrVersion`, and `ServiceNotFound` of other services. */
export const absent = [
  { call: 'ModifyInstanceSpec', why: section('9.3') },
  { call: 'ReplaceSystemVolume', why: section('9.3') },
  { call: 'ModifyInstanceVpcAttribute', why: section('9.3') },
  { call: 'DescribeNetworkInterfaces, of the service vpc', why: section('10.4') },
  { call: 'DescribeSubnets, of the service vpc', why: section('10.4') },
  { call: 'DescribeVolumes, of the service storage_ebs', why: section('10.4') },
]
