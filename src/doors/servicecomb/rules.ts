// What a field may hold, and the sentence that names the first one that does not. A rule is shown to the caller
// as the vendor prints it, so each keeps the vendor's own pattern text.
//
// - The least length counts bytes (or elements), the greatest counts characters.
// - Lengths are checked before patterns, so that no pattern ever sees a long text.
// Source: contracts/cse-registry.md sections 1.2, 1.4, 3.2, 3.4 and 7.

import { type Fault, invalid } from './faults.ts'

export interface Rule {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
  /** What is shown in place of a pattern. */
  readonly says?: string
  /** What the pattern's text alone cannot say. */
  readonly test?: (value: string) => boolean
}

/** Field as the vendor names it, value, rule. Absent values are checked as ''. */
export type Check = readonly [field: string, value: string | number | undefined, rule: Rule]

const name = /^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]*[a-zA-Z0-9]$/
const nameOrAlias = /^[a-zA-Z0-9]*$|^[a-zA-Z0-9][a-zA-Z0-9_\-.:]*[a-zA-Z0-9]$/
const version = /^\d+(\.\d+){0,3}$/
const versionPartMax = 32_767
const tag = /^[a-zA-Z][a-zA-Z0-9_\-.]{0,63}$/
const neededVersion = /^(^\d+(\.\d+){0,2}\+?$|^\d+(\.\d+){0,2}-\d+(\.\d+){0,2}$|^latest$)?$/
const dataCenter: Rule = { min: 1, max: 128, pattern: /^[A-Za-z0-9_.-]+$/ }

const fitsVersion = (value: string): boolean =>
  value.split('.').every((part) => Number(part) <= versionPartMax)

export const rules = {
  project: { min: 1, max: 64 },
  domain: { max: 64 },
  serviceId: { min: 1, max: 64, pattern: /^\S*$/ },
  ownServiceId: { max: 64, pattern: /^\S*$/ },
  instanceId: { min: 1, max: 64, pattern: /^[A-Za-z0-9_.-]*$/ },
  ownInstanceId: { max: 64, pattern: /^[A-Za-z0-9_.-]*$/ },
  status: { pattern: /^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)$/ },
  ownStatus: { pattern: /^(UP|DOWN|STARTING|TESTING|OUTOFSERVICE)?$/ },
  appId: { min: 1, max: 160, pattern: name },
  ownAppId: { max: 160, pattern: name },
  serviceName: { min: 1, max: 128, pattern: name },
  nameOrAlias: { min: 1, max: 289, pattern: nameOrAlias },
  version: { min: 1, max: 64, pattern: version, test: fitsVersion },
  environment: { pattern: /^(development|testing|acceptance|production)?$/ },
  description: { max: 256 },
  level: { pattern: /^(FRONT|MIDDLE|BACK)?$/ },
  schemaCount: { max: 100 },
  schemaId: {
    min: 1,
    max: 160,
    pattern: /^[a-zA-Z0-9]{1,160}$|^[a-zA-Z0-9][a-zA-Z0-9_\-.]{0,158}[a-zA-Z0-9]$/,
  },
  schema: { min: 1 },
  summary: { max: 128, pattern: /^[a-zA-Z0-9]*$/ },
  path: { min: 1, max: 2048, pattern: /^\/\S*$/ },
  serviceStatus: { pattern: /^(UP|DOWN)?$/ },
  alias: { max: 128, pattern: /^[a-zA-Z0-9_\-.:]*$/ },
  registerBy: { pattern: /^(SDK|SIDECAR|PLATFORM)?$/ },
  frameworkName: { max: 64, pattern: name },
  frameworkVersion: { max: 64 },
  tagCount: { max: 100 },
  tag: { pattern: tag },
  tagKeys: { min: 1, max: 100 },
  dependencies: { min: 1, max: 100 },
  providers: { min: 1 },
  needed: { max: 160, pattern: name },
  neededVersion: { max: 128, pattern: neededVersion },
  schemaSet: { min: 1, max: 100 },
  fullSummary: { min: 1, max: 128, pattern: /^[a-zA-Z0-9]*$/ },
  properties: { min: 1 },
  accountName: { min: 1, max: 64, pattern: name },
  accountStatus: { pattern: /^(active|inactive)$|^$/ },
  accounts: { min: 1, max: 20 },
  roles: { min: 1, max: 5 },
  rolesGiven: { max: 5 },
  role: { pattern: name },
  endpoint: { pattern: /^\S*$/ },
  hostName: { min: 1, max: 64, pattern: /\S+/ },
  mode: { min: 1, pattern: /^(push|pull)$/ },
  port: { min: 0, max: 65_535 },
  interval: { min: 1, max: 2_147_483_647 },
  times: { min: 0, max: 2_147_483_647 },
  url: { pattern: /^\S*$/ },
  dataCenter,
} as const satisfies Record<string, Rule>

/** @param type  the request or object as the vendor names it. */
export function firstFault(type: string, checks: readonly Check[]): Fault | undefined {
  for (const [field, value = '', rule] of checks)
    if (!fits(value, rule)) return violation(`${type}.${field}`, String(value), rule)
  return undefined
}

export const violation = (field: string, shown: string, rule: Rule): Fault =>
  invalid(`field '${field}' invalid value '${shown}' does not match rule: {${ruleText(rule)}}`)

function fits(value: string | number, rule: Rule): boolean {
  const { min = 0, max = Infinity, pattern, test } = rule
  if (typeof value === 'number') return value >= min && value <= max
  if (Buffer.byteLength(value) < min || characters(value) > max) return false
  return (pattern === undefined || pattern.test(value)) && (test === undefined || test(value))
}

const characters = (value: string): number => {
  let count = 0
  for (const _ of value) count += 1
  return count
}

function ruleText({ min, max, pattern, says }: Rule): string {
  const parts = []
  if (min !== undefined) parts.push(`Min: ${min}`)
  if (max !== undefined) parts.push(`Max: ${max}`)
  if (pattern !== undefined) parts.push(`Regexp: ${pattern.source}`)
  if (says !== undefined) parts.push(`Regexp: ${says}`)
  return parts.join(', ')
}
