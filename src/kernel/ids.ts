// Ids are branded per noun so that they cannot be swapped, and shaped per cloud by pure functions.

declare const noun: unique symbol
type Id<Noun extends string> = string & { readonly [noun]: Noun }

export type InstanceId = Id<'instance'>
export type OperationId = Id<'operation'>
export type ServiceId = Id<'service'>
export type ProjectId = Id<'project'>
export type UserId = Id<'user'>
export type BatchId = Id<'batch'>

/** Where fresh ids come from: the kernel has no randomness of its own. Each id is a lower-case UUID v4. */
export interface Ids {
  next(): string
}

export const instanceId = (text: string): InstanceId => text as InstanceId // the one place that brands
export const operationId = (text: string): OperationId => text as OperationId // the one place that brands
export const serviceId = (text: string): ServiceId => text as ServiceId // the one place that brands
export const projectId = (text: string): ProjectId => text as ProjectId // the one place that brands
export const userId = (text: string): UserId => text as UserId // the one place that brands
export const batchId = (text: string): BatchId => text as BatchId // the one place that brands

/** 32 lower-case hex digits: a UUID without its dashes. */
export const compact = (uuid: string): string => uuid.replaceAll('-', '')

/** The last `length` base-36 digits (at most 24) of a UUID: lower-case letters and digits. */
export function base36(uuid: string, length: number): string {
  return BigInt(`0x${compact(uuid)}`)
    .toString(36)
    .padStart(25, '0')
    .slice(-length)
}
