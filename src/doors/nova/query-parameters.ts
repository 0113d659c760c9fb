// The parameters that several lists share, and how a bad one is refused.
// Source: contract, sections 3.5 and 6.3.

import { err, ok, type Result } from '#kernel/errors.ts'
import { badRequest, type NovaFault } from './faults.ts'
import { pythonText } from './python-text.ts'

export const badParameter = (name: string, value: string, reason: string): NovaFault =>
  badRequest(`Invalid input for query parameters ${name}. Value: ${value}. ${reason}`)

/** An empty value is as if the parameter were not there. */
export const firstOf = (params: URLSearchParams, name: string): string | undefined =>
  params.get(name) || undefined

/** Digits only; more than the most a page holds is cut to that. */
export function limitOf(params: URLSearchParams, limitMax: number): Result<number, NovaFault> {
  const text = firstOf(params, 'limit')
  if (text === undefined) return ok(limitMax)
  if (!/^[0-9]+$/.test(text)) {
    return err(badParameter('limit', text, `${pythonText(text)} does not match '^[0-9]*$'`))
  }
  return ok(Math.min(Number(text), limitMax))
}

export interface Sorting {
  readonly key: string
  readonly dir: 'asc' | 'desc'
}

/** Keys and directions come in pairs; a key without a direction has the first one, or the default. */
export function sortingsOf(
  params: URLSearchParams,
  known: (key: string) => boolean,
  otherwise: Sorting,
): Result<readonly Sorting[], NovaFault> {
  const dirs = params.getAll('sort_dir')
  const sortings: Sorting[] = []
  for (const dir of dirs) {
    if (dir === 'asc' || dir === 'desc') continue
    return err(badParameter('sort_dir', dir, `${pythonText(dir)} is not one of ['asc', 'desc']`))
  }
  const dirMissing = (dirs[0] as Sorting['dir'] | undefined) ?? otherwise.dir // checked above
  for (const [at, key] of params.getAll('sort_key').entries()) {
    if (!known(key)) {
      return err(badParameter('sort_key', key, `${pythonText(key)} is not a key to sort by`))
    }
    sortings.push({
      key,
      dir: (dirs[at] as Sorting['dir'] | undefined) ?? dirMissing,
    }) // checked above
  }
  return ok(sortings.length > 0 ? sortings : [{ ...otherwise, dir: dirMissing }])
}

/** The link to the page after the one that ends with `marker`: this request's own URL, but for the marker. */
export function nextLink(
  exchange: { readonly baseUrl: string; readonly rawPath: string; readonly rawQuery: string },
  marker: string,
): object {
  const params = new URLSearchParams(exchange.rawQuery)
  params.set('marker', marker)
  return { rel: 'next', href: `${exchange.baseUrl}${exchange.rawPath}?${params.toString()}` }
}

export const noSuchMarker = (marker: string): NovaFault =>
  badRequest(`marker [${marker}] not found`)
