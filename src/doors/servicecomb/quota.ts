// Limits on how many services and instances this deployment registers. Counting rows for each registration would
// make it dearer as the registry grows, so a count is kept between countings and may only be too high: what
// leaves is noticed when the limit seems reached and rows are counted again.
// Source: contracts/cse-registry.md sections 3.2 and 3.4.

import { err, type ErrorOf, ok, type Result } from '#kernel/errors.ts'
import { type Reads } from '#kernel/ports/plane.ts'
import { type Settings } from './settings.ts'

type Count = () => Promise<number>

export class Quota {
  readonly #count: Count
  readonly #what: 'service' | 'instance'
  readonly #limit: number
  #atMost = Infinity

  constructor(what: 'service' | 'instance', limit: number, count: Count) {
    this.#what = what
    this.#limit = limit
    this.#count = count
  }

  /** Takes a place for one more, or refuses. Places taken for what came to nothing are given back by the next count. */
  async take(): Promise<Result<undefined, ErrorOf<'QuotaExceeded'>>> {
    if (this.#atMost >= this.#limit) this.#atMost = await this.#count()
    if (this.#atMost >= this.#limit)
      return err({ code: 'QuotaExceeded', what: this.#what, limit: this.#limit })
    this.#atMost += 1
    return ok(undefined)
  }
}

export interface Quotas {
  readonly services: Quota
  readonly instances: Quota
}

export const quotas = (read: Pick<Reads, 'count'>, settings: Settings): Quotas => ({
  services: new Quota('service', settings.servicesMax, () =>
    read.count('services', { where: { kind: 'microservice' } }),
  ),
  instances: new Quota('instance', settings.instancesMax, () =>
    read.count('instances', { where: { kind: 'service-instance' } }),
  ),
})
